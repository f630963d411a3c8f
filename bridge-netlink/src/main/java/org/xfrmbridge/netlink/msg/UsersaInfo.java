package org.xfrmbridge.netlink.msg;

import io.soabase.recordbuilder.core.RecordBuilder;
import java.nio.ByteBuffer;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Lifetime;
import org.xfrmbridge.xfrm.Selector;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;

/** {@code struct xfrm_usersa_info}: the fixed part of NEWSA, UPDSA and their answers. */
@RecordBuilder
public record UsersaInfo(
        Selector selector,
        StateId id,
        Address saddr,
        Lifetime lifetime,
        LifetimeCurrent current,
        Stats stats,
        int seq,
        int reqid,
        int family,
        int mode,
        int replayWindow,
        int flags) {
    public static final int BYTES = 224;
    private static final int PADDING_BYTES = 7;

    /** {@code struct xfrm_stats}: packets refused, by reason. */
    public record Stats(int replayWindow, int replay, int integrityFailed) {
        private static final int BYTES = 12;

        private static Stats read(ByteBuffer in) {
            int replayWindow = in.getInt();
            int replay = in.getInt();
            return new Stats(replayWindow, replay, in.getInt());
        }
    }

    public static UsersaInfoBuilder builder() {
        return UsersaInfoBuilder.builder();
    }

    public static UsersaInfo read(ByteBuffer in) {
        return read(in, true);
    }

    /** Reads that of a request, in which counters mean nothing: {@code current} and {@code stats} are null. */
    public static UsersaInfo readRequest(ByteBuffer in) {
        return read(in, false);
    }

    private static UsersaInfo read(ByteBuffer in, boolean counters) {
        Selector selector = Structs.readSelector(in);
        StateId id = Structs.readId(in);
        Address saddr = Structs.readAddress(in);
        Lifetime lifetime = Structs.readLifetime(in);
        LifetimeCurrent current = null;
        Stats stats = null;
        if (counters) {
            current = Structs.readLifetimeCurrent(in);
            stats = Stats.read(in);
        } else {
            in.position(in.position() + Structs.LIFETIME_CURRENT_BYTES + Stats.BYTES);
        }
        int seq = in.getInt();
        int reqid = in.getInt();
        int family = Short.toUnsignedInt(in.getShort());
        int mode = Byte.toUnsignedInt(in.get());
        int replayWindow = Byte.toUnsignedInt(in.get());
        int flags = Structs.readByteAndSkip(in, PADDING_BYTES);
        return new UsersaInfo(
                selector, id, saddr, lifetime, current, stats, seq, reqid, family, mode, replayWindow, flags);
    }

    public void write(ByteBuffer out) {
        Structs.writeSelector(out, selector);
        Structs.writeId(out, id);
        Structs.writeAddress(out, saddr);
        Structs.writeLifetime(out, lifetime);
        Structs.writeLifetimeCurrent(out, current);
        out.putInt(stats.replayWindow).putInt(stats.replay).putInt(stats.integrityFailed);
        out.putInt(seq).putInt(reqid);
        out.putShort((short) family).put((byte) mode).put((byte) replayWindow);
        Structs.writeByteAndPad(out, flags, PADDING_BYTES);
    }
}
