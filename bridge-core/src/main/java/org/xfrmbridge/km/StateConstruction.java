package org.xfrmbridge.km;

import java.util.Optional;
import org.xfrmbridge.db.Interner;
import org.xfrmbridge.esp.AhSuite;
import org.xfrmbridge.esp.AlgorithmEntry;
import org.xfrmbridge.esp.AlgorithmKind;
import org.xfrmbridge.esp.AlgorithmTable;
import org.xfrmbridge.esp.EspSuite;
import org.xfrmbridge.esp.KeyedAlgorithm;
import org.xfrmbridge.esp.Suite;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;
import org.xfrmbridge.xfrm.Usage;

/**
 * Makes a State of a verified request: {@code xfrm_state_construct} with {@code __xfrm_init_state}, the
 * {@code init_state} of the protocol and {@code xfrm_init_replay}. Mobile IPv6 and IP-TFS are answered as by a kernel
 * built without them.
 */
final class StateConstruction {
    /** {@code XFRM_AE_SEQT_SIZE} and {@code XFRM_AE_ETIME}: thresholds of a State whose client names none. */
    private static final int DEFAULT_MAX_DIFFERENCE = 2;

    private static final int DEFAULT_MAX_AGE = 10;

    /** {@code XFRM_OFFLOAD_IPV6}, {@code _INBOUND} and {@code _PACKET}. */
    private static final int OFFLOAD_KNOWN = 7;

    private static final int OFFLOAD_INBOUND = 2;
    private static final int OFFLOAD_PACKET = 4;

    private final Interner interner = new Interner();
    private final int cpus;
    private final Clock clock;

    /** @param cpus how many there are that a State may be for */
    StateConstruction(int cpus, Clock clock) {
        this.cpus = cpus;
        this.clock = clock;
    }

    State construct(StateSpec request) throws XfrmException {
        StateSpecBuilder spec = request.toBuilder();
        adoptDefaults(spec, request);
        spec.aead(attach(AlgorithmKind.AEAD, request.aead(), true))
                .auth(attach(AlgorithmKind.AUTH, request.auth(), request.authTruncated()))
                .cipher(attach(AlgorithmKind.CIPHER, request.cipher(), true))
                .compression(attach(AlgorithmKind.COMPRESSION, request.compression(), true));
        interner.intern(spec);
        StateSpec complete = spec.build();
        requireCpu(complete);
        requireInnerMode(complete);
        switch (complete.id().protocol()) {
            case IpProtocol.ESP -> requireEsp(complete);
            case IpProtocol.AH -> requireAh(complete);
            case IpProtocol.COMP -> requireComp(complete);
            default -> throw new XfrmException(Errno.EPROTONOSUPPORT, "this host has no transform for the protocol");
        }
        requireKeepalive(complete);
        requireReplayWindow(complete);
        requireNoOffload(complete);
        return new State(complete, State.Phase.VALID, usage(complete, clock.epochSeconds()), StateConstruction::suite);
    }

    private static void adoptDefaults(StateSpecBuilder spec, StateSpec request) {
        spec.selector(request.selector().toBuilder()
                        .family(StateRules.selectorFamily(request))
                        .build())
                .replayWindow(Math.min(request.replayWindow(), Integer.SIZE));
        if (spec.replayMaxDifference() == StateSpec.ABSENT && !request.isGiven(StateSpec.GIVEN_REPLAY_THRESHOLD)) {
            spec.replayMaxDifference(DEFAULT_MAX_DIFFERENCE);
        }
        if (spec.replayMaxAge() == StateSpec.ABSENT && !request.isGiven(StateSpec.GIVEN_TIMER_THRESHOLD)) {
            spec.replayMaxAge(DEFAULT_MAX_AGE);
        }
    }

    /** The algorithm under its full name and with the ICV in force; shares the key. */
    private static Algorithm attach(AlgorithmKind kind, Algorithm wanted, boolean icvGiven) throws XfrmException {
        if (wanted == null) {
            return null;
        }
        AlgorithmEntry entry = find(kind, wanted)
                .orElseThrow(
                        () -> new XfrmException(Errno.ENOSYS, "this host has no algorithm of that name for " + kind));
        if (kind != AlgorithmKind.AUTH) {
            return wanted.as(entry.name(), wanted.icvBits());
        }
        int icvBits = icvGiven && wanted.icvBits() != 0
                ? wanted.icvBits()
                : entry.lengths().icvBits();
        require(
                Integer.compareUnsigned(icvBits, entry.lengths().icvFullBits()) <= 0,
                Errno.EINVAL,
                "the truncation is longer than the digest of " + entry.name());
        return wanted.as(entry.name(), icvBits);
    }

    private void requireCpu(StateSpec spec) throws XfrmException {
        require(hasCpu(spec), Errno.ERANGE, "this host has no CPU of that number");
    }

    boolean hasCpu(StateSpec spec) {
        return !spec.hasPcpu() || Integer.compareUnsigned(spec.pcpu(), cpus) < 0;
    }

    /**
     * {@code xfrm_get_mode} for the inner side: route optimization is IPv6 only, and only tunnels change the family.
     */
    private static void requireInnerMode(StateSpec spec) throws XfrmException {
        int selectorFamily = spec.selector().family();
        int innerFamily = selectorFamily == AddressFamily.UNSPEC ? spec.family() : selectorFamily;
        boolean exists = spec.mode() != Mode.IPTFS
                && (spec.mode() != Mode.ROUTE_OPTIMIZATION || innerFamily == AddressFamily.INET6);
        require(exists, Errno.EPROTONOSUPPORT, "this host has no such mode for the family");
        require(
                spec.mode().hasOuterHeader() || innerFamily == spec.family(),
                Errno.EPROTONOSUPPORT,
                "the selector's family differs, which only tunnel modes can carry");
    }

    private static void requireEsp(StateSpec spec) throws XfrmException {
        requireEspAlgorithms(spec);
        requireEspMode(spec);
    }

    /** {@code ah_init_state}, {@code ah6_init_state}. */
    private static void requireAh(StateSpec spec) throws XfrmException {
        require(spec.auth() != null, Errno.EINVAL, "AH needs an AUTH or AUTH_TRUNC algorithm");
        require(spec.encapsulation() == null, Errno.EINVAL, "AH cannot be encapsulated in UDP");
        requireLengths(entry(AlgorithmKind.AUTH, spec.auth()), spec.auth());
        require(spec.mode() != Mode.ROUTE_OPTIMIZATION, Errno.EINVAL, "AH has no such mode");
    }

    /** {@code ipcomp4_init_state}, {@code ipcomp6_init_state}. */
    private static void requireComp(StateSpec spec) throws XfrmException {
        require(spec.compression() != null, Errno.EINVAL, "IPComp needs a COMP algorithm");
        boolean known = spec.mode() == Mode.TRANSPORT || spec.mode() == Mode.TUNNEL;
        require(known, Errno.EINVAL, "IPComp works in transport and tunnel mode");
        require(spec.encapsulation() == null, Errno.EINVAL, "IPComp cannot be encapsulated in UDP");
    }

    private static void requireEspAlgorithms(StateSpec spec) throws XfrmException {
        if (spec.aead() != null) {
            requireLengths(entry(AlgorithmKind.AEAD, spec.aead()), spec.aead());
            return;
        }
        require(
                spec.cipher() != null,
                Errno.EINVAL,
                "ESP with AUTH needs CRYPT, too; ecb(cipher_null) encrypts nothing");
        requireLengths(entry(AlgorithmKind.CIPHER, spec.cipher()), spec.cipher());
        if (spec.auth() != null) {
            requireLengths(entry(AlgorithmKind.AUTH, spec.auth()), spec.auth());
            int icvBytes = spec.auth().icvBits() / Byte.SIZE;
            require(
                    !spec.isEsn() || icvBytes == 0 || icvBytes >= Integer.BYTES,
                    Errno.EINVAL,
                    "extended sequence numbers need an ICV of at least 32 bits, or none");
        }
    }

    static Suite suite(StateSpec spec) {
        return switch (spec.id().protocol()) {
            case IpProtocol.AH ->
                new AhSuite(keyed(AlgorithmKind.AUTH, spec.auth()), spec.auth().icvBits());
            case IpProtocol.COMP -> Suite.Deflate.DEFAULT;
            default -> espSuite(spec);
        };
    }

    private static EspSuite espSuite(StateSpec spec) {
        if (spec.aead() != null) {
            return EspSuite.aead(keyed(AlgorithmKind.AEAD, spec.aead()));
        }
        KeyedAlgorithm cipher = keyed(AlgorithmKind.CIPHER, spec.cipher());
        return spec.auth() == null
                ? EspSuite.encryptOnly(cipher)
                : EspSuite.encryptThenMac(
                        cipher,
                        keyed(AlgorithmKind.AUTH, spec.auth()),
                        spec.auth().icvBits());
    }

    private static KeyedAlgorithm keyed(AlgorithmKind kind, Algorithm algorithm) {
        return new KeyedAlgorithm(entry(kind, algorithm), algorithm.material());
    }

    /** The table's row for an algorithm that was attached, and so is there. */
    private static AlgorithmEntry entry(AlgorithmKind kind, Algorithm algorithm) {
        return find(kind, algorithm).orElseThrow();
    }

    private static Optional<AlgorithmEntry> find(AlgorithmKind kind, Algorithm algorithm) {
        return kind == AlgorithmKind.AEAD
                ? AlgorithmTable.aead(algorithm.name(), algorithm.icvBits())
                : AlgorithmTable.find(kind, algorithm.name());
    }

    private static void requireLengths(AlgorithmEntry entry, Algorithm algorithm) throws XfrmException {
        Optional<String> reason = entry.refusal(algorithm.keyBits(), algorithm.icvBits());
        if (reason.isPresent()) {
            throw new XfrmException(Errno.EINVAL, reason.get());
        }
    }

    private static void requireEspMode(StateSpec spec) throws XfrmException {
        require(spec.mode() != Mode.ROUTE_OPTIMIZATION, Errno.EINVAL, "ESP has no such mode");
        Encapsulation encapsulation = spec.encapsulation();
        require(
                encapsulation == null || encapsulation.type() == Encapsulation.UDP_ENCAP_ESPINUDP,
                Errno.EINVAL,
                "ESP in UDP is the only encapsulation there is");
    }

    private static void requireKeepalive(StateSpec spec) throws XfrmException {
        if (spec.natKeepaliveSeconds() != 0) {
            require(
                    spec.direction() == StateSpec.DIRECTION_OUT,
                    Errno.EINVAL,
                    "NAT keepalives are sent by output states");
            require(spec.encapsulation() != null, Errno.EINVAL, "NAT keepalives need encapsulation in UDP");
        }
    }

    private static void requireReplayWindow(StateSpec spec) throws XfrmException {
        if (spec.hasReplayBitmap()) {
            int windowBits = spec.replay().windowBits();
            boolean fits = Integer.compareUnsigned(windowBits, spec.replay().bitmap().length * Integer.SIZE) <= 0;
            require(fits, Errno.EINVAL, "the replay window is larger than its bitmap");
            boolean needed = spec.isEsn() && spec.direction() != StateSpec.DIRECTION_OUT;
            require(!needed || windowBits != 0, Errno.EINVAL, "extended sequence numbers need a replay window");
        }
    }

    /**
     * {@code xfrm_dev_state_add} where no device can: what asks for more than software does is refused, all else is
     * done by it.
     */
    private static void requireNoOffload(StateSpec spec) throws XfrmException {
        int flags = spec.offloadFlags();
        if (flags == StateSpec.ABSENT) {
            return;
        }
        boolean inbound = (flags & OFFLOAD_INBOUND) != 0;
        boolean mismatch = spec.direction() != 0 && inbound != (spec.direction() == StateSpec.DIRECTION_IN);
        require((flags & ~OFFLOAD_KNOWN) == 0, Errno.EINVAL, "there are no such offload flags");
        require(!mismatch, Errno.EINVAL, "the directions of state and offload differ");
        require(!inbound || spec.ifId() == 0, Errno.EINVAL, "what is offloaded on its way in has no interface id yet");
        require(spec.tfcPadBytes() == 0, Errno.EINVAL, "TFC padding cannot be offloaded");
        require((flags & OFFLOAD_PACKET) == 0, Errno.EINVAL, "this host has no hardware that takes whole packets");
    }

    private static Usage usage(StateSpec spec, long nowSeconds) {
        StateSpec.LifetimeCurrent given = spec.usage();
        return given == null
                ? new Usage(nowSeconds)
                : new Usage(given.bytes(), given.packets(), given.addSeconds(), given.useSeconds());
    }

    private static void require(boolean met, Errno errno, String reason) throws XfrmException {
        if (!met) {
            throw new XfrmException(errno, reason);
        }
    }
}
