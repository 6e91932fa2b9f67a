/* Points of one group and their addition. Included once for G1 and once for G2, before sums.h.

   Before: GROUP (prefix of the functions), FIELD (prefix of the field's), COORDINATE (its type).
   An affine point with both coordinates 0, which is on neither curve, is infinity. */

#define JOIN_NAMES(a, b) a##_##b
#define EXPAND_NAMES(a, b) JOIN_NAMES(a, b)
#define G(name) EXPAND_NAMES(GROUP, name)
#define F(name) EXPAND_NAMES(FIELD, name)

typedef struct {
    COORDINATE x, y;
} G(affine);

typedef struct {
    COORDINATE x, y, z; /* (x / z^2, y / z^3); infinity where z is 0 */
} G(jacobian);

static inline int G(is_infinity)(const G(affine) * a) {
    return F(is_zero)(&a->x) && F(is_zero)(&a->y);
}

static inline void G(set_infinity)(G(jacobian) * r) { memset(r, 0, sizeof *r); }

static inline void G(from_affine)(G(jacobian) * r, const G(affine) * a) {
    if (G(is_infinity)(a)) {
        G(set_infinity)(r);
        return;
    }
    r->x = a->x;
    r->y = a->y;
    F(set_one)(&r->z);
}

static inline void G(negate)(G(affine) * r, const G(affine) * a) {
    r->x = a->x;
    F(negate)(&r->y, &a->y);
}

static int G(is_on_curve)(const G(affine) * a) {
    COORDINATE left, right;
    if (G(is_infinity)(a))
        return 1;
    F(square)(&left, &a->y);
    F(square)(&right, &a->x);
    F(multiply)(&right, &right, &a->x);
    F(add)(&right, &right, &G(b));
    return F(equals)(&left, &right);
}

/* dbl-2009-l of the Explicit-Formulas Database. */
static void G(double)(G(jacobian) * r, const G(jacobian) * p) {
    COORDINATE a, b, c, d, e, f;
    F(square)(&a, &p->x);
    F(square)(&b, &p->y);
    F(square)(&c, &b);
    F(add)(&d, &p->x, &b);
    F(square)(&d, &d);
    F(subtract)(&d, &d, &a);
    F(subtract)(&d, &d, &c);
    F(add)(&d, &d, &d);
    F(add)(&e, &a, &a);
    F(add)(&e, &e, &a);
    F(square)(&f, &e);
    F(multiply)(&r->z, &p->y, &p->z);
    F(add)(&r->z, &r->z, &r->z);
    F(subtract)(&f, &f, &d);
    F(subtract)(&r->x, &f, &d);
    F(subtract)(&d, &d, &r->x);
    F(multiply)(&d, &d, &e);
    F(add)(&c, &c, &c);
    F(add)(&c, &c, &c);
    F(add)(&c, &c, &c);
    F(subtract)(&r->y, &d, &c);
}

/* Adds the point whose projections to the denominator of p are u2 and s2 (add-1998-cmo-2). */
static void G(add_projected)(G(jacobian) * r, const G(jacobian) * p, const COORDINATE *u1,
                             const COORDINATE *s1, const COORDINATE *u2, const COORDINATE *s2,
                             const COORDINATE *z) {
    COORDINATE h, run, hh, hhh, v;
    F(subtract)(&h, u2, u1);
    F(subtract)(&run, s2, s1);
    if (F(is_zero)(&h)) {
        if (F(is_zero)(&run))
            G(double)(r, p);
        else
            G(set_infinity)(r);
        return;
    }
    F(square)(&hh, &h);
    F(multiply)(&hhh, &hh, &h);
    F(multiply)(&v, u1, &hh);
    COORDINATE y = *s1;
    F(multiply)(&r->z, z, &h);
    F(square)(&r->x, &run);
    F(subtract)(&r->x, &r->x, &hhh);
    F(subtract)(&r->x, &r->x, &v);
    F(subtract)(&r->x, &r->x, &v);
    F(subtract)(&v, &v, &r->x);
    F(multiply)(&v, &v, &run);
    F(multiply)(&y, &y, &hhh);
    F(subtract)(&r->y, &v, &y);
}

static void G(add_affine)(G(jacobian) * r, const G(jacobian) * p, const G(affine) * q) {
    COORDINATE square, u2, s2;
    if (G(is_infinity)(q)) {
        *r = *p;
        return;
    }
    if (F(is_zero)(&p->z)) {
        G(from_affine)(r, q);
        return;
    }
    F(square)(&square, &p->z);
    F(multiply)(&u2, &q->x, &square);
    F(multiply)(&s2, &square, &p->z);
    F(multiply)(&s2, &s2, &q->y);
    G(jacobian) left = *p;
    G(add_projected)(r, &left, &left.x, &left.y, &u2, &s2, &left.z);
}

static void G(add)(G(jacobian) * r, const G(jacobian) * p, const G(jacobian) * q) {
    COORDINATE zz1, zz2, u1, s1, u2, s2, z;
    if (F(is_zero)(&q->z)) {
        *r = *p;
        return;
    }
    if (F(is_zero)(&p->z)) {
        *r = *q;
        return;
    }
    F(square)(&zz1, &p->z);
    F(square)(&zz2, &q->z);
    F(multiply)(&u1, &p->x, &zz2);
    F(multiply)(&u2, &q->x, &zz1);
    F(multiply)(&s1, &q->z, &zz2);
    F(multiply)(&s1, &s1, &p->y);
    F(multiply)(&s2, &p->z, &zz1);
    F(multiply)(&s2, &s2, &q->y);
    F(multiply)(&z, &p->z, &q->z);
    G(jacobian) left = *p;
    G(add_projected)(r, &left, &u1, &s1, &u2, &s2, &z);
}

static void G(to_affine)(G(affine) * r, const G(jacobian) * p) {
    COORDINATE inverse, square;
    F(invert)(&inverse, &p->z); /* 0 for infinity, which makes zeros of both coordinates */
    F(square)(&square, &inverse);
    F(multiply)(&r->x, &p->x, &square);
    F(multiply)(&square, &square, &inverse);
    F(multiply)(&r->y, &p->y, &square);
}
