"""The final exponentiation, to (P^12 - 1) / R."""

from veperf.workloads.zk.field import T
from veperf.workloads.zk.integers import non_adjacent_form
from veperf.workloads.zk.tower import fp12
from veperf.workloads.zk.tower.fp12 import Fp12

_T_DIGITS = non_adjacent_form(T)[-2::-1]  # behind the leading one


def final_exponentiation(f: Fp12) -> Fp12:
    """f^(2t (6t^2 + 3t + 1) (P^12 - 1) / R), fully reduced: 1 exactly where f^((P^12 - 1) / R) is.

    The easy part is f^((P^6 - 1) (P^2 + 1)). The hard part is that of Fuentes-Castaneda, Knapp,
    Rodriguez-Henriquez: Faster hashing to G2, 2011: a multiple of (P^4 - P^2 + 1) / R by a factor
    prime to R takes three powers of t.

    Raises:
        ZeroDivisionError: f is 0, which no Miller loop is.
    """
    multiply, square, conjugate = fp12.multiply, fp12.square, fp12.conjugate
    f = multiply(conjugate(f), fp12.inverse(f))
    f = multiply(fp12.frobenius(f, 2), f)

    # From here on the conjugate is the inverse. Names are the exponents.
    t2 = square(_power_t(f))
    t6 = multiply(square(t2), t2)
    t6_2 = _power_t(t6)
    t12_3 = _power_t(square(t6_2))
    a = multiply(multiply(t12_3, t6_2), t6)  # 12 t^3 + 6 t^2 + 6 t
    b = multiply(a, conjugate(t2))  # 12 t^3 + 6 t^2 + 4 t
    c = multiply(multiply(a, t6_2), f)  # 12 t^3 + 12 t^2 + 6 t + 1
    # The whole: c + b P + a P^2 + (b - 1) P^3
    result = multiply(c, fp12.frobenius(b, 1))
    result = multiply(result, fp12.frobenius(a, 2))
    result = multiply(result, fp12.frobenius(multiply(b, conjugate(f)), 3))
    return fp12.reduced(result)


def _power_t(f: Fp12) -> Fp12:
    """f^t."""
    factors = {1: f, -1: fp12.conjugate(f)}
    result = f
    for digit in _T_DIGITS:
        result = fp12.square(result)
        if digit:
            result = fp12.multiply(result, factors[digit])
    return result
