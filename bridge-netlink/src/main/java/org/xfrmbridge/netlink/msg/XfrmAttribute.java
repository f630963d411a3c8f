package org.xfrmbridge.netlink.msg;

import org.xfrmbridge.netlink.nl.AttributePolicy;

/**
 * Attribute types of NETLINK_XFRM ({@code XFRMA_*}) and what each must look like ({@code xfrma_policy}, Linux 6.18).
 */
public final class XfrmAttribute {
    public static final int ALG_AUTH = 1;
    public static final int ALG_CRYPT = 2;
    public static final int ALG_COMP = 3;
    public static final int ENCAP = 4;
    public static final int TMPL = 5;
    public static final int SA = 6;
    public static final int POLICY = 7;
    public static final int SEC_CTX = 8;
    public static final int LTIME_VAL = 9;
    public static final int REPLAY_VAL = 10;
    public static final int REPLAY_THRESH = 11;
    public static final int ETIMER_THRESH = 12;
    public static final int SRCADDR = 13;
    public static final int COADDR = 14;
    public static final int LASTUSED = 15;
    public static final int POLICY_TYPE = 16;
    public static final int MIGRATE = 17;
    public static final int ALG_AEAD = 18;
    public static final int KMADDRESS = 19;
    public static final int ALG_AUTH_TRUNC = 20;
    public static final int MARK = 21;
    public static final int TFCPAD = 22;
    public static final int REPLAY_ESN_VAL = 23;
    public static final int SA_EXTRA_FLAGS = 24;
    public static final int PROTO = 25;
    public static final int ADDRESS_FILTER = 26;
    public static final int PAD = 27;
    public static final int OFFLOAD_DEV = 28;
    public static final int SET_MARK = 29;
    public static final int SET_MARK_MASK = 30;
    public static final int IF_ID = 31;
    public static final int MTIMER_THRESH = 32;
    public static final int SA_DIR = 33;
    public static final int NAT_KEEPALIVE_INTERVAL = 34;
    public static final int SA_PCPU = 35;
    public static final int IPTFS_DROP_TIME = 36;
    public static final int IPTFS_REORDER_WINDOW = 37;
    public static final int IPTFS_DONT_FRAG = 38;
    public static final int IPTFS_INIT_DELAY = 39;
    public static final int IPTFS_MAX_QSIZE = 40;
    public static final int IPTFS_PKT_SIZE = 41;
    /** The last one: {@code XFRMA_MAX}. */
    public static final int MAX = IPTFS_PKT_SIZE;

    // XFRMA_SAD_* of NEWSADINFO
    public static final int SAD_CNT = 1;
    public static final int SAD_HINFO = 2;

    // XFRMA_SPD_* of NEWSPDINFO
    public static final int SPD_INFO = 1;
    public static final int SPD_HINFO = 2;
    public static final int SPD_IPV4_HTHRESH = 3;
    public static final int SPD_IPV6_HTHRESH = 4;

    /** Bytes of {@code struct xfrmu_spdhthresh}: local and remote prefix length. */
    public static final int SPD_HTHRESH_BYTES = 2;

    /** Bytes of {@code struct xfrm_userpolicy_type}: the type and three unused ones. */
    public static final int POLICY_TYPE_BYTES = 6;

    /** Of all messages but NEWSPDINFO. */
    public static final AttributePolicy POLICIES = AttributePolicy.builder(MAX)
            .atLeast(ALG_AUTH, AlgorithmStructs.ALGO_BYTES)
            .atLeast(ALG_CRYPT, AlgorithmStructs.ALGO_BYTES)
            .atLeast(ALG_COMP, AlgorithmStructs.ALGO_BYTES)
            .atLeast(ENCAP, Structs.ENCAP_BYTES)
            .atLeast(TMPL, Structs.TEMPLATE_BYTES)
            .atLeast(SA, UsersaInfo.BYTES)
            .atLeast(POLICY, UserpolicyInfo.BYTES)
            .atLeast(SEC_CTX, Structs.SECURITY_CONTEXT_BYTES)
            .atLeast(LTIME_VAL, Structs.LIFETIME_CURRENT_BYTES)
            .atLeast(REPLAY_VAL, ReplayStructs.REPLAY_BYTES)
            .number(REPLAY_THRESH, 4)
            .number(ETIMER_THRESH, 4)
            .atLeast(SRCADDR, Structs.ADDRESS_BYTES)
            .atLeast(COADDR, Structs.ADDRESS_BYTES)
            .number(LASTUSED, 8)
            .atLeast(POLICY_TYPE, POLICY_TYPE_BYTES)
            .atLeast(MIGRATE, UserMigrate.BYTES)
            .atLeast(ALG_AEAD, AlgorithmStructs.ALGO_ICV_BYTES)
            .atLeast(KMADDRESS, UserMigrate.KM_ADDRESS_BYTES)
            .atLeast(ALG_AUTH_TRUNC, AlgorithmStructs.ALGO_ICV_BYTES)
            .atLeast(MARK, Structs.MARK_BYTES)
            .number(TFCPAD, 4)
            .atLeast(REPLAY_ESN_VAL, ReplayStructs.REPLAY_ESN_BYTES)
            .number(SA_EXTRA_FLAGS, 4)
            .number(PROTO, 1)
            .atLeast(ADDRESS_FILTER, AddressFilter.BYTES)
            .atLeast(OFFLOAD_DEV, Structs.OFFLOAD_BYTES)
            .number(SET_MARK, 4)
            .number(SET_MARK_MASK, 4)
            .number(IF_ID, 4)
            .number(MTIMER_THRESH, 4)
            .number(SA_DIR, 1, 1, 2)
            .number(NAT_KEEPALIVE_INTERVAL, 4)
            .number(SA_PCPU, 4)
            .number(IPTFS_DROP_TIME, 4)
            .number(IPTFS_REORDER_WINDOW, 2)
            .flag(IPTFS_DONT_FRAG)
            .number(IPTFS_INIT_DELAY, 4)
            .number(IPTFS_MAX_QSIZE, 4)
            .number(IPTFS_PKT_SIZE, 4)
            .strictFrom(SA_DIR)
            .build();

    /** Of NEWSPDINFO. */
    public static final AttributePolicy SPD_POLICIES = AttributePolicy.builder(SPD_IPV6_HTHRESH)
            .atLeast(SPD_IPV4_HTHRESH, SPD_HTHRESH_BYTES)
            .atLeast(SPD_IPV6_HTHRESH, SPD_HTHRESH_BYTES)
            .build();

    private XfrmAttribute() {}
}
