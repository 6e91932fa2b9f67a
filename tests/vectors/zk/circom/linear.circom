pragma circom 2.0.0;

template Linear() {
    signal input a;
    signal input b;
    signal output c;
    signal output d;
    c <== 3 * a - b + 7;
    d <== a * a;
}

component main {public [b]} = Linear();
