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
    public record Stats(int replayWindow, int replay, int integrityFailed) {}

    public static UsersaInfoBuilder builder() {
        return UsersaInfoBuilder.builder();
    }

    public static UsersaInfo read(ByteBuffer in) {
        Selector selector = Structs.readSelector(in);
        StateId id = Structs.readId(in);
        Address saddr = Structs.readAddress(in);
        Lifetime lifetime = Structs.readLifetime(in);
        LifetimeCurrent current = Structs.readLifetimeCurrent(in);
        int statsReplayWindow = in.getInt();
        int statsReplay = in.getInt();
        Stats stats = new Stats(statsReplayWindow, statsReplay, in.getInt());
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
