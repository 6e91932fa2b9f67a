pragma circom 2.0.0;

// The same with three mistakes: x * isZero = 0 is missing, and so is the sum of the bits, and the
// nonce is in no constraint.
template Faulty() {
    signal input nonce;
    signal input x;
    signal input y;
    signal output isZero;
    signal output sum;
    signal inverse;
    inverse <-- x != 0 ? 1 / x : 0;
    isZero <== 1 - x * inverse;
    signal bits[8];
    for (var i = 0; i < 8; i++) {
        bits[i] <-- (y >> i) & 1;
        bits[i] * (bits[i] - 1) === 0;
    }
    signal first;
    first <== bits[0] * bits[1];
    sum <== first * x + y;
}

component main {public [nonce]} = Faulty();
