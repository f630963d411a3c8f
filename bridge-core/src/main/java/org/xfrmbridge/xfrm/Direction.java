package org.xfrmbridge.xfrm;

/** Which packets a Policy is for; {@code XFRM_POLICY_IN/OUT/FWD}. The ordinal is the kernel's number. */
public enum Direction {
    IN,
    OUT,
    FWD;

    private static final Direction[] VALUES = values();

    /** The direction of a kernel number, or null if there is none. */
    public static Direction of(int number) {
        return number >= 0 && number < VALUES.length ? VALUES[number] : null;
    }

    public int number() {
        return ordinal();
    }
}
