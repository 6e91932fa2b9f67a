pragma circom 2.0.0;

// Whether x is 0, and the 8 bits of y: each signal is determined by x, y and the public nonce.
template Sound() {
    signal input nonce;
    signal input x;
    signal input y;
    signal output isZero;
    signal output sum;
    signal inverse;
    inverse <-- x != 0 ? 1 / x : 0;
    isZero <== 1 - x * inverse;
    x * isZero === 0;
    signal bits[8];
    var total = 0;
    for (var i = 0; i < 8; i++) {
        bits[i] <-- (y >> i) & 1;
        bits[i] * (bits[i] - 1) === 0;
        total += bits[i] * (1 << i);
    }
    total === y;
    signal first;
    first <== bits[0] * bits[1];
    signal scaled;
    scaled <== nonce * y;
    sum <== first * x + scaled;
}

component main {public [nonce]} = Sound();
