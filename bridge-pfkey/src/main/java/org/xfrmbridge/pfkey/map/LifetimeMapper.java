package org.xfrmbridge.pfkey.map;

import java.nio.ByteBuffer;
import org.xfrmbridge.pfkey.msg.SadbLifetime;
import org.xfrmbridge.pfkey.sadb.Extensions;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Usage;

/** Limits and counters. Where PF_KEY says 0, no limit of bytes or packets is {@link Lifetime#INFINITE}. */
final class LifetimeMapper {
    private static final SadbLifetime NONE = new SadbLifetime(0, 0, 0, 0);

    private LifetimeMapper() {}

    /** An absent half sets no limits. */
    static Lifetime read(Extensions extensions) {
        SadbLifetime hard = read(extensions.get(SadbExt.LIFETIME_HARD));
        SadbLifetime soft = read(extensions.get(SadbExt.LIFETIME_SOFT));
        return Lifetime.builder()
                .softBytes(limit(soft.bytesLimit()))
                .hardBytes(limit(hard.bytesLimit()))
                .softPackets(limit(Integer.toUnsignedLong(soft.allocations())))
                .hardPackets(limit(Integer.toUnsignedLong(hard.allocations())))
                .softAddSeconds(soft.addtime())
                .hardAddSeconds(hard.addtime())
                .softUseSeconds(soft.usetime())
                .hardUseSeconds(hard.usetime())
                .build();
    }

    private static SadbLifetime read(ByteBuffer body) {
        return body == null ? NONE : SadbLifetime.read(body);
    }

    static SadbLifetime hard(Lifetime limits) {
        return new SadbLifetime(
                (int) number(limits.hardPackets()),
                number(limits.hardBytes()),
                limits.hardAddSeconds(),
                limits.hardUseSeconds());
    }

    static SadbLifetime soft(Lifetime limits) {
        return new SadbLifetime(
                (int) number(limits.softPackets()),
                number(limits.softBytes()),
                limits.softAddSeconds(),
                limits.softUseSeconds());
    }

    static SadbLifetime current(Usage usage) {
        return new SadbLifetime((int) usage.packets(), usage.bytes(), usage.addSeconds(), usage.useSeconds());
    }

    private static long limit(long number) {
        return number == 0 ? Lifetime.INFINITE : number;
    }

    private static long number(long limit) {
        return limit == Lifetime.INFINITE ? 0 : limit;
    }
}
