pragma circom 2.0.0;

// Knows x and y with x * y = product, x^3 + y + 5 = cubic, and that x has 8 bits.
template Fixture() {
    signal input x;
    signal input y;
    signal input scale;
    signal output product;
    signal output cubic;
    signal square;
    signal cube;
    signal bits[8];
    var total = 0;
    for (var i = 0; i < 8; i++) {
        bits[i] <-- (x >> i) & 1;
        bits[i] * (bits[i] - 1) === 0;
        total += bits[i] * (1 << i);
    }
    total === x;
    signal xy;
    xy <== x * y;
    product <== xy * scale;
    square <== x * x;
    cube <== square * x;
    cubic <== cube + y + 5;
}

component main {public [scale]} = Fixture();
