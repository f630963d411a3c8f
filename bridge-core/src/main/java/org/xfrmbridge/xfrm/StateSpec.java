package org.xfrmbridge.xfrm;

import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * All that a client says of a State: {@code struct xfrm_usersa_info} and its attributes, or a PF_KEY ADD. Immutable,
 * except that the keys in its {@link Algorithm}s are wiped when the State goes. An absent attribute is null (objects),
 * 0 (numbers) or {@link #ABSENT}.
 *
 * @param seq number of the ACQUIRE it answers, 0 if none
 * @param replayWindow {@code replay_window} of the base structure: 0 to 255
 * @param flags bits of {@link StateFlags}
 * @param extraFlags {@code EXTRA_} bits of {@link StateFlags}
 * @param auth its ICV length is the truncation in force
 * @param authTruncated whether the client gave the truncation itself (XFRMA_ALG_AUTH_TRUNC)
 * @param replay sequence numbers to start from, null for the beginning; with {@code windowBits > 0} it came as
 *     XFRMA_REPLAY_ESN_VAL
 * @param usage counters to start from (XFRMA_LTIME_VAL), null for zero
 * @param replayMaxDifference XFRMA_REPLAY_THRESH in packets, 0 for no limit
 * @param replayMaxAge XFRMA_ETIMER_THRESH in tenths of a second, 0 for never
 * @param outputMark XFRMA_SET_MARK and its mask, null if absent
 * @param direction XFRMA_SA_DIR: 0 unset, 1 in, 2 out
 * @param pcpu XFRMA_SA_PCPU: the CPU that sends through it, {@link #ABSENT} for all
 * @param offloadFlags flags of XFRMA_OFFLOAD_DEV, {@link #ABSENT} if there is none: no State is ever offloaded
 * @param given {@code GIVEN_} bits: attributes whose presence counts, whatever their value
 */
@RecordBuilder
public record StateSpec(
        Selector selector,
        StateId id,
        Address saddr,
        Lifetime lifetime,
        int seq,
        int reqid,
        int family,
        Mode mode,
        int replayWindow,
        int flags,
        int extraFlags,
        Algorithm aead,
        Algorithm auth,
        boolean authTruncated,
        Algorithm cipher,
        Algorithm compression,
        Encapsulation encapsulation,
        Address careOfAddress,
        int tfcPadBytes,
        Mark mark,
        Mark outputMark,
        int ifId,
        ReplayState replay,
        LifetimeCurrent usage,
        int replayMaxDifference,
        int replayMaxAge,
        int direction,
        int pcpu,
        int natKeepaliveSeconds,
        int mappingMaxAgeSeconds,
        int offloadFlags,
        int given) {
    /** Stands for an attribute whose 0 means something: {@code pcpu} and the two replay thresholds. */
    public static final int ABSENT = -1;

    // XFRMA_IPTFS_*, in their order: the first two are for input, the others for output
    public static final int GIVEN_IPTFS_DROP_TIME = 1;
    public static final int GIVEN_IPTFS_REORDER_WINDOW = 1 << 1;
    public static final int GIVEN_IPTFS_DONT_FRAG = 1 << 2;
    public static final int GIVEN_IPTFS_INIT_DELAY = 1 << 3;
    public static final int GIVEN_IPTFS_MAX_QSIZE = 1 << 4;
    public static final int GIVEN_IPTFS_PKT_SIZE = 1 << 5;
    public static final int GIVEN_TFC_PAD = 1 << 6;
    public static final int GIVEN_MAPPING_AGE = 1 << 7;
    public static final int GIVEN_PCPU = 1 << 8;
    public static final int GIVEN_REPLAY_THRESHOLD = 1 << 9;
    public static final int GIVEN_TIMER_THRESHOLD = 1 << 10;
    public static final int GIVEN_REPLAY_BITMAP = 1 << 11;
    public static final int GIVEN_SECURITY_CONTEXT = 1 << 12;

    public static final int DIRECTION_IN = 1;
    public static final int DIRECTION_OUT = 2;

    /** Counters as a client gives them, {@code struct xfrm_lifetime_cur}. */
    public record LifetimeCurrent(long bytes, long packets, long addSeconds, long useSeconds) {}

    /** A State of no family and protocol, between no addresses, without limits or keys. */
    public static StateSpecBuilder builder() {
        return StateSpecBuilder.builder()
                .selector(Selector.any(AddressFamily.UNSPEC))
                .id(new StateId(Address.ANY, 0, 0))
                .saddr(Address.ANY)
                .lifetime(Lifetime.UNLIMITED)
                .mode(Mode.TRANSPORT)
                .mark(Mark.NONE)
                .replayMaxDifference(ABSENT)
                .replayMaxAge(ABSENT)
                .pcpu(ABSENT)
                .offloadFlags(ABSENT);
    }

    public StateSpecBuilder toBuilder() {
        return StateSpecBuilder.builder(this);
    }

    /** What names the State of such a spec to requests. */
    public StateKey key() {
        return new StateKey(id, family, mark, null);
    }

    public boolean hasFlag(int flag) {
        return (flags & flag) != 0;
    }

    public boolean hasExtraFlag(int flag) {
        return (extraFlags & flag) != 0;
    }

    public boolean isEsn() {
        return hasFlag(StateFlags.ESN);
    }

    /**
     * Whether the replay window is a bitmap of free length ({@code struct xfrm_replay_state_esn}), with extended
     * numbers or without.
     */
    public boolean hasReplayBitmap() {
        return replay != null
                && (isGiven(GIVEN_REPLAY_BITMAP) || replay.windowBits() != 0 || replay.bitmap().length != 1);
    }

    /** The mark of a packet that has come or is to go through the State. */
    public int markOf(int packetMark) {
        return outputMark == null ? packetMark : outputMark.applyTo(packetMark);
    }

    public boolean hasTfcPad() {
        return tfcPadBytes != 0 || isGiven(GIVEN_TFC_PAD);
    }

    public boolean hasMappingAge() {
        return mappingMaxAgeSeconds != 0 || isGiven(GIVEN_MAPPING_AGE);
    }

    public boolean hasPcpu() {
        return pcpu != ABSENT || isGiven(GIVEN_PCPU);
    }

    public boolean hasSecurityContext() {
        return isGiven(GIVEN_SECURITY_CONTEXT);
    }

    public boolean isGiven(int bits) {
        return (given & bits) != 0;
    }

    /** Control thread only, and only its own copies: what datapath threads use is wiped with the State. */
    public void wipeKeys() {
        for (Algorithm algorithm : new Algorithm[] {aead, auth, cipher}) {
            if (algorithm != null) {
                algorithm.wipe();
            }
        }
    }
}
