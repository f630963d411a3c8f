package org.xfrmbridge.km;

import static org.xfrmbridge.km.XfrmException.refuseIf;

import org.xfrmbridge.esp.ReplayWindow;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateFlags;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * What NEWSA and UPDSA refuse by the look of the request alone: {@code verify_newsa_info} with {@code verify_replay},
 * check by check in the kernel's order, for of two faults a client is told the first. Lengths of attributes are the
 * codec's.
 */
final class StateRules {
    private static final int IPTFS_INPUT = StateSpec.GIVEN_IPTFS_DROP_TIME | StateSpec.GIVEN_IPTFS_REORDER_WINDOW;
    private static final int IPTFS_OUTPUT = StateSpec.GIVEN_IPTFS_DONT_FRAG
            | StateSpec.GIVEN_IPTFS_INIT_DELAY
            | StateSpec.GIVEN_IPTFS_MAX_QSIZE
            | StateSpec.GIVEN_IPTFS_PKT_SIZE;

    private StateRules() {}

    static void verify(StateSpec spec) throws XfrmException {
        verifyFamilies(spec);
        switch (spec.id().protocol()) {
            case IpProtocol.AH -> verifyAh(spec);
            case IpProtocol.ESP -> verifyEsp(spec);
            case IpProtocol.COMP -> verifyComp(spec);
            case IpProtocol.DSTOPTS, IpProtocol.ROUTING -> verifyMobility(spec);
            default ->
                throw new XfrmException(
                        Errno.EINVAL, "states carry AH, ESP, IPComp, DSTOPTS or ROUTING, not this protocol");
        }
        verifyReplay(spec);
        verifyMode(spec);
        verifyMappingAge(spec);
        switch (spec.direction()) {
            case StateSpec.DIRECTION_OUT -> verifyOutbound(spec);
            case StateSpec.DIRECTION_IN -> verifyInbound(spec);
            default -> refuseIf(spec.hasPcpu(), "a state for one CPU needs a direction");
        }
    }

    /** The selector's family is the state's unless the client says otherwise; {@code copy_from_user_state}. */
    static int selectorFamily(StateSpec spec) {
        int family = spec.selector().family();
        return family == AddressFamily.UNSPEC && !spec.hasFlag(StateFlags.AF_UNSPEC) ? spec.family() : family;
    }

    private static void verifyFamilies(StateSpec spec) throws XfrmException {
        refuseIf(!AddressFamily.isIp(spec.family()), "the address family is neither IPv4 nor IPv6");
        verifySelector(spec.selector(), selectorFamily(spec));
    }

    /** {@code verify_selector_prefixlen}. */
    static void verifySelector(Selector selector, int family) throws XfrmException {
        refuseIf(
                family != AddressFamily.UNSPEC && !AddressFamily.isIp(family),
                "the selector's family is neither IPv4 nor IPv6");
        if (family != AddressFamily.UNSPEC) {
            verifyPrefixes(selector, AddressFamily.bits(family));
        }
    }

    static void verifyPrefixes(Selector selector, int maxBits) throws XfrmException {
        if (selector.daddrPrefix() > maxBits || selector.saddrPrefix() > maxBits) {
            throw new XfrmException(Errno.EINVAL, "a prefix length of the selector is greater than " + maxBits);
        }
    }

    private static void verifyAh(StateSpec spec) throws XfrmException {
        refuseIf(spec.auth() == null, "AH needs an AUTH or AUTH_TRUNC algorithm");
        refuseIf(
                spec.aead() != null || spec.cipher() != null || spec.compression() != null || spec.hasTfcPad(),
                "AH takes no AEAD, CRYPT, COMP or TFCPAD");
    }

    private static void verifyEsp(StateSpec spec) throws XfrmException {
        boolean separate = spec.auth() != null || spec.cipher() != null;
        refuseIf(spec.compression() != null, "ESP takes no COMP algorithm");
        refuseIf(!separate && spec.aead() == null, "ESP needs an AEAD, or CRYPT and AUTH or AUTH_TRUNC");
        refuseIf(separate && spec.aead() != null, "ESP takes either an AEAD or CRYPT and AUTH, not both");
        refuseIf(spec.hasTfcPad() && spec.mode() != Mode.TUNNEL, "TFC padding works in tunnel mode only");
        refuseIf(
                spec.isGiven(IPTFS_INPUT | IPTFS_OUTPUT) && spec.mode() != Mode.IPTFS,
                "IP-TFS options belong to the mode IP-TFS");
    }

    private static void verifyComp(StateSpec spec) throws XfrmException {
        refuseIf(spec.compression() == null, "IPComp needs a COMP algorithm");
        refuseIf(
                spec.aead() != null || spec.auth() != null || spec.cipher() != null || spec.hasTfcPad(),
                "IPComp takes no AEAD, AUTH, CRYPT or TFCPAD");
        refuseIf(Integer.compareUnsigned(spec.id().spi(), 0xffff) > 0, "an IPComp SPI is at most 65535");
    }

    private static void verifyMobility(StateSpec spec) throws XfrmException {
        boolean algorithms =
                spec.aead() != null || spec.auth() != null || spec.cipher() != null || spec.compression() != null;
        refuseIf(
                algorithms || spec.encapsulation() != null || spec.hasSecurityContext() || spec.hasTfcPad(),
                "this protocol takes no algorithm, encapsulation, security context or TFCPAD");
        refuseIf(spec.careOfAddress() == null, "this protocol needs a care-of address");
    }

    private static void verifyReplay(StateSpec spec) throws XfrmException {
        if (!spec.hasReplayBitmap()) {
            refuseIf(spec.isEsn(), "extended sequence numbers need REPLAY_ESN_VAL");
            return;
        }
        ReplayState replay = spec.replay();
        refuseIf(
                replay.bitmap().length > ReplayWindow.MAX_WINDOW_BITS / Integer.SIZE,
                "the replay bitmap is longer than 128 words");
        int protocol = spec.id().protocol();
        refuseIf(protocol != IpProtocol.ESP && protocol != IpProtocol.AH, "only ESP and AH take REPLAY_ESN_VAL");
        refuseIf(spec.replayWindow() != 0, "REPLAY_ESN_VAL and replay_window exclude each other");
        if (spec.direction() == StateSpec.DIRECTION_OUT) {
            refuseIf(replay.windowBits() != 0, "an output state has no replay window");
            refuseIf((replay.seq() | replay.seqHigh()) != 0, "an output state has no received sequence number");
            refuseIf(replay.bitmap().length != 0, "an output state has no replay bitmap");
            refuseIf(!spec.isEsn() && replay.oseqHigh() != 0, "sent sequence numbers have 32 bits without ESN");
        } else if (spec.direction() == StateSpec.DIRECTION_IN) {
            refuseIf((replay.oseq() | replay.oseqHigh()) != 0, "an input state has no sent sequence number");
            refuseIf(!spec.isEsn() && replay.seqHigh() != 0, "received sequence numbers have 32 bits without ESN");
        }
    }

    private static void verifyMode(StateSpec spec) throws XfrmException {
        refuseIf(spec.mode() == null || spec.mode() == Mode.IN_TRIGGER, "states have no such mode");
        if (spec.mode() == Mode.IPTFS) {
            refuseIf(spec.id().protocol() != IpProtocol.ESP, "IP-TFS is a mode of ESP only");
            refuseIf(spec.direction() == 0, "IP-TFS needs a direction");
        }
    }

    private static void verifyMappingAge(StateSpec spec) throws XfrmException {
        if (spec.hasMappingAge()) {
            refuseIf(spec.encapsulation() == null, "MTIMER_THRESH belongs to states with encapsulation");
            refuseIf(spec.direction() == StateSpec.DIRECTION_OUT, "MTIMER_THRESH belongs to input states");
        }
    }

    private static void verifyOutbound(StateSpec spec) throws XfrmException {
        refuseIf(spec.hasFlag(StateFlags.DECAP_DSCP), "DECAP_DSCP belongs to input states");
        refuseIf(spec.hasFlag(StateFlags.ICMP), "the flag ICMP belongs to input states");
        refuseIf(spec.hasFlag(StateFlags.WILDRECV), "WILDRECV belongs to input states");
        refuseIf(spec.replayWindow() != 0, "an output state has no replay window");
        refuseIf(spec.isGiven(IPTFS_INPUT), "drop time and reorder window belong to input states");
        ReplayState replay = spec.replay();
        refuseIf(
                replay != null && !spec.hasReplayBitmap() && (replay.seq() | replay.bitmap()[0]) != 0,
                "an output state has no received sequence numbers");
    }

    private static void verifyInbound(StateSpec spec) throws XfrmException {
        refuseIf(spec.hasFlag(StateFlags.NOPMTUDISC), "NOPMTUDISC belongs to output states");
        refuseIf(spec.hasExtraFlag(StateFlags.EXTRA_DONT_ENCAP_DSCP), "DONT_ENCAP_DSCP belongs to output states");
        refuseIf(spec.hasExtraFlag(StateFlags.EXTRA_OSEQ_MAY_WRAP), "OSEQ_MAY_WRAP belongs to output states");
        refuseIf(spec.isGiven(IPTFS_OUTPUT), "fragments, delay, queue and packet size belong to output states");
    }
}
