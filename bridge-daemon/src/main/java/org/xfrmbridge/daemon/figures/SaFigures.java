package org.xfrmbridge.daemon.figures;

import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Usage;

/** Makes {@link Figures.Sa} of a State. */
final class SaFigures {
    private SaFigures() {}

    static Figures.Sa of(State state, long nowSeconds) {
        StateSpec spec = state.spec();
        Usage usage = state.usage();
        ReplayState replay = state.replaySnapshot();
        long sent = number(replay.oseqHigh(), replay.oseq());
        long received = number(replay.seqHigh(), replay.seq());
        String direction = direction(spec, sent, usage.packets() > 0);
        Encapsulation encapsulation = spec.encapsulation();
        return new Figures.Sa(
                direction,
                spec.saddr().toText(spec.family()),
                spec.id().daddr().toText(spec.family()),
                "0x%08x".formatted(spec.id().spi()),
                protocol(spec.id().protocol()),
                Integer.toUnsignedLong(spec.reqid()),
                spec.mode().name().toLowerCase(Locale.ROOT),
                algorithm(spec),
                encapsulation == null ? "" : encapsulation.sport() + "->" + encapsulation.dport(),
                phase(state),
                state.addSeconds(),
                usage.useSeconds(),
                usage.lastUsedSeconds(),
                usage.bytes(),
                usage.packets(),
                direction.equals("out") ? sent : received,
                spec.hasReplayBitmap() ? spec.replay().windowBits() : spec.replayWindow(),
                state.integrityFailures(),
                left(spec.lifetime(), usage, state.addSeconds(), nowSeconds));
    }

    private static long number(int high, int low) {
        return (long) high << 32 | Integer.toUnsignedLong(low);
    }

    /** What nobody said tells by its numbers: who has sent has counted them. */
    private static String direction(StateSpec spec, long sent, boolean hasCarried) {
        if (spec.direction() == StateSpec.DIRECTION_OUT || spec.direction() == 0 && sent > 0) {
            return "out";
        }
        return spec.direction() == StateSpec.DIRECTION_IN || hasCarried ? "in" : "";
    }

    static String protocol(int protocol) {
        return switch (protocol) {
            case IpProtocol.ESP -> "esp";
            case IpProtocol.AH -> "ah";
            case IpProtocol.COMP -> "comp";
            default -> Integer.toString(protocol);
        };
    }

    private static String algorithm(StateSpec spec) {
        return Stream.of(spec.aead(), spec.cipher(), spec.auth(), spec.compression())
                .filter(Objects::nonNull)
                .map(Algorithm::name)
                .collect(Collectors.joining(" + "));
    }

    /** A valid one that has reached a soft limit is dying, as clients know it. */
    static String phase(State state) {
        return state.isValid() && state.isDying()
                ? "dying"
                : state.phase().name().toLowerCase(Locale.ROOT);
    }

    private static Figures.Left left(Lifetime limits, Usage usage, long addSeconds, long nowSeconds) {
        Long byAge = limits.hardAddSeconds() == 0 ? null : addSeconds + limits.hardAddSeconds() - nowSeconds;
        Long byUse = limits.hardUseSeconds() == 0 || usage.useSeconds() == 0
                ? null
                : usage.useSeconds() + limits.hardUseSeconds() - nowSeconds;
        Long seconds = byAge == null || byUse == null
                ? Objects.requireNonNullElse(byAge, byUse == null ? Long.MAX_VALUE : byUse)
                : Math.min(byAge, byUse);
        return new Figures.Left(
                left(limits.hardBytes(), usage.bytes()),
                left(limits.hardPackets(), usage.packets()),
                seconds == Long.MAX_VALUE ? null : Math.max(0, seconds));
    }

    private static Long left(long limit, long used) {
        return limit == Lifetime.INFINITE ? null : Math.max(0, limit - used);
    }
}
