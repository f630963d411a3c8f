package org.xfrmbridge.pfkey.sadb;

/** Types of messages, {@code SADB_*} of linux/pfkeyv2.h. Plain numbers, as a client may send any. */
public final class SadbType {
    public static final int GETSPI = 1;
    public static final int UPDATE = 2;
    public static final int ADD = 3;
    public static final int DELETE = 4;
    public static final int GET = 5;
    public static final int ACQUIRE = 6;
    public static final int REGISTER = 7;
    public static final int EXPIRE = 8;
    public static final int FLUSH = 9;
    public static final int DUMP = 10;
    public static final int X_PROMISC = 11;
    public static final int X_PCHANGE = 12;
    public static final int X_SPDUPDATE = 13;
    public static final int X_SPDADD = 14;
    public static final int X_SPDDELETE = 15;
    public static final int X_SPDGET = 16;
    public static final int X_SPDACQUIRE = 17;
    public static final int X_SPDDUMP = 18;
    public static final int X_SPDFLUSH = 19;
    public static final int X_SPDSETIDX = 20;
    public static final int X_SPDEXPIRE = 21;
    public static final int X_SPDDELETE2 = 22;
    public static final int X_NAT_T_NEW_MAPPING = 23;
    public static final int X_MIGRATE = 24;

    /** {@code SADB_MAX}. */
    public static final int MAX = X_MIGRATE;

    private static final String[] NAMES = {
        "RESERVED",
        "GETSPI",
        "UPDATE",
        "ADD",
        "DELETE",
        "GET",
        "ACQUIRE",
        "REGISTER",
        "EXPIRE",
        "FLUSH",
        "DUMP",
        "X_PROMISC",
        "X_PCHANGE",
        "X_SPDUPDATE",
        "X_SPDADD",
        "X_SPDDELETE",
        "X_SPDGET",
        "X_SPDACQUIRE",
        "X_SPDDUMP",
        "X_SPDFLUSH",
        "X_SPDSETIDX",
        "X_SPDEXPIRE",
        "X_SPDDELETE2",
        "X_NAT_T_NEW_MAPPING",
        "X_MIGRATE",
    };

    private SadbType() {}

    /** A type as the kernel's headers name it, or its number. */
    public static String name(int type) {
        return type >= 0 && type < NAMES.length ? "SADB_" + NAMES[type] : "message type " + type;
    }
}
