package org.xfrmbridge.pfkey.sadb;

/**
 * The extensions that may follow a header, {@code SADB_EXT_*} and {@code SADB_X_EXT_*} of linux/pfkeyv2.h, with the
 * least a kernel takes.
 */
public enum SadbExt {
    SA(1, 16),
    LIFETIME_CURRENT(2, 32),
    LIFETIME_HARD(3, 32),
    LIFETIME_SOFT(4, 32),
    ADDRESS_SRC(5, 8),
    ADDRESS_DST(6, 8),
    ADDRESS_PROXY(7, 8),
    KEY_AUTH(8, 8),
    KEY_ENCRYPT(9, 8),
    IDENTITY_SRC(10, 16),
    IDENTITY_DST(11, 16),
    SENSITIVITY(12, 16),
    PROPOSAL(13, 8),
    SUPPORTED_AUTH(14, 8),
    SUPPORTED_ENCRYPT(15, 8),
    SPIRANGE(16, 16),
    X_KMPRIVATE(17, 8),
    X_POLICY(18, 16),
    X_SA2(19, 16),
    X_NAT_T_TYPE(20, 8),
    X_NAT_T_SPORT(21, 8),
    X_NAT_T_DPORT(22, 8),
    X_NAT_T_OA(23, 8),
    X_SEC_CTX(24, 8),
    X_KMADDRESS(25, 8),
    X_FILTER(26, 40);

    /** {@code struct sadb_ext}: length in words and number, before every extension. */
    public static final int HEADER_BYTES = 4;

    private static final SadbExt[] VALUES = values();

    private final int number;
    private final int leastBytes;

    SadbExt(int number, int leastBytes) {
        this.number = number;
        this.leastBytes = leastBytes;
    }

    /** The extension of a number, or null if Linux knows none, which it ignores. */
    static SadbExt of(int number) {
        return number >= 1 && number <= VALUES.length ? VALUES[number - 1] : null;
    }

    public int number() {
        return number;
    }

    /** With its header. */
    public int leastBytes() {
        return leastBytes;
    }
}
