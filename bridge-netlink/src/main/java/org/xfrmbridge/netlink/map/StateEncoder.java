package org.xfrmbridge.netlink.map;

import org.xfrmbridge.esp.ReplayWindow;
import org.xfrmbridge.km.StateMigration;
import org.xfrmbridge.netlink.msg.AeventId;
import org.xfrmbridge.netlink.msg.AlgorithmStructs;
import org.xfrmbridge.netlink.msg.ReplayStructs;
import org.xfrmbridge.netlink.msg.Structs;
import org.xfrmbridge.netlink.msg.UsersaId;
import org.xfrmbridge.netlink.msg.UsersaInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Encapsulation;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;
import org.xfrmbridge.xfrm.Usage;

/** A State as messages show it, in the kernel's order of attributes ({@code copy_to_user_state_extra}, Linux 6.12). */
public final class StateEncoder {
    private StateEncoder() {}

    /** The fixed part of NEWSA, and of the messages that hold one. */
    public static UsersaInfo info(State state) {
        StateSpec spec = state.spec();
        return UsersaInfo.builder()
                .selector(spec.selector())
                .id(spec.id())
                .saddr(spec.saddr())
                .lifetime(spec.lifetime())
                .current(current(state.usage()))
                .stats(stats(state))
                .seq(spec.seq())
                .reqid(spec.reqid())
                .family(spec.family())
                .mode(spec.mode().number())
                .replayWindow(spec.replayWindow())
                .flags(spec.flags())
                .build();
    }

    public static UsersaId id(State state) {
        return new UsersaId(state.id(), state.spec().family());
    }

    private static UsersaInfo.Stats stats(State state) {
        ReplayWindow window = state.replayWindow();
        return new UsersaInfo.Stats(window.outside(), window.replayed(), state.integrityFailures());
    }

    static LifetimeCurrent current(Usage usage) {
        return new LifetimeCurrent(usage.bytes(), usage.packets(), usage.addSeconds(), usage.useSeconds());
    }

    public static void putInfo(NetlinkWriter out, State state) {
        info(state).write(out.room(UsersaInfo.BYTES));
    }

    /** All attributes of NEWSA. */
    public static void putAttributes(NetlinkWriter out, State state) {
        StateSpec spec = state.spec();
        StateNumber.EXTRA_FLAGS.put(out, spec);
        putCareOfAddress(out, spec);
        long lastUsedSeconds = state.usage().lastUsedSeconds();
        if (lastUsedSeconds != 0) {
            out.putLong(XfrmAttribute.LASTUSED, lastUsedSeconds);
        }
        putAlgorithms(out, spec);
        putEncapsulation(out, spec.encapsulation());
        StateNumber.TFC_PAD.put(out, spec);
        AttributeValues.putMark(out, spec.mark());
        AttributeValues.putOutputMark(out, spec.outputMark());
        putReplay(out, state);
        StateNumber.IF_ID.put(out, spec);
        for (StateNumber number : StateNumber.LAST) {
            number.put(out, spec);
        }
    }

    static void putCareOfAddress(NetlinkWriter out, StateSpec spec) {
        if (spec.careOfAddress() != null) {
            int attribute = out.beginAttribute(XfrmAttribute.COADDR);
            Structs.writeAddress(out.room(Structs.ADDRESS_BYTES), spec.careOfAddress());
            out.endAttribute(attribute);
        }
    }

    private static void putAlgorithms(NetlinkWriter out, StateSpec spec) {
        putAead(out, spec);
        if (spec.auth() != null) {
            // Both forms, whichever the client used.
            putAlgorithm(out, XfrmAttribute.ALG_AUTH, spec.auth());
            putAlgorithmWithIcv(out, XfrmAttribute.ALG_AUTH_TRUNC, spec.auth());
        }
        putEncryption(out, spec);
    }

    static void putAead(NetlinkWriter out, StateSpec spec) {
        if (spec.aead() != null) {
            putAlgorithmWithIcv(out, XfrmAttribute.ALG_AEAD, spec.aead());
        }
    }

    /** Encryption without authentication, and compression. */
    static void putEncryption(NetlinkWriter out, StateSpec spec) {
        if (spec.cipher() != null) {
            putAlgorithm(out, XfrmAttribute.ALG_CRYPT, spec.cipher());
        }
        if (spec.compression() != null) {
            int attribute = out.beginAttribute(XfrmAttribute.ALG_COMP);
            AlgorithmStructs.writeAlgoWithoutKey(out.room(AlgorithmStructs.ALGO_BYTES), spec.compression());
            out.endAttribute(attribute);
        }
    }

    static void putAlgorithm(NetlinkWriter out, int type, Algorithm algorithm) {
        int attribute = out.beginAttribute(type);
        AlgorithmStructs.writeAlgo(out.room(AlgorithmStructs.algoBytes(algorithm)), algorithm);
        out.endAttribute(attribute);
    }

    static void putAlgorithmWithIcv(NetlinkWriter out, int type, Algorithm algorithm) {
        int attribute = out.beginAttribute(type);
        AlgorithmStructs.writeAlgoWithIcv(out.room(AlgorithmStructs.algoWithIcvBytes(algorithm)), algorithm);
        out.endAttribute(attribute);
    }

    static void putEncapsulation(NetlinkWriter out, Encapsulation encapsulation) {
        if (encapsulation != null) {
            int attribute = out.beginAttribute(XfrmAttribute.ENCAP);
            Structs.writeEncapsulation(out.room(Structs.ENCAP_BYTES), encapsulation);
            out.endAttribute(attribute);
        }
    }

    private static void putReplay(NetlinkWriter out, State state) {
        ReplayState replay = state.replaySnapshot();
        if (state.spec().hasReplayBitmap()) {
            int attribute = out.beginAttribute(XfrmAttribute.REPLAY_ESN_VAL);
            ReplayStructs.writeReplayEsn(out.room(ReplayStructs.replayEsnBytes(replay)), replay);
            out.endAttribute(attribute);
        } else {
            int attribute = out.beginAttribute(XfrmAttribute.REPLAY_VAL);
            ReplayStructs.writeReplay(out.room(ReplayStructs.REPLAY_BYTES), replay);
            out.endAttribute(attribute);
        }
    }

    /** The attributes of MIGRATE_STATE: what was asked for, and what the State has kept. */
    public static void putMigrationAttributes(NetlinkWriter out, StateMigration migration, State moved) {
        StateSpec spec = moved.spec();
        putEncapsulation(out, migration.encapsulation() == null ? spec.encapsulation() : migration.encapsulation());
        if (migration.mark() != null) {
            int attribute = out.beginAttribute(XfrmAttribute.MARK);
            Structs.writeMark(out.room(Structs.MARK_BYTES), migration.mark());
            out.endAttribute(attribute);
        }
        AttributeValues.putOutputMark(out, spec.outputMark());
        StateNumber.MAPPING_AGE.put(out, spec);
        StateNumber.NAT_KEEPALIVE.put(out, spec);
        StateNumber.DIRECTION.put(out, spec);
    }

    /** The attributes of EXPIRE. */
    public static void putExpireAttributes(NetlinkWriter out, State state) {
        putExpireAttributes(out, state.spec());
    }

    static void putExpireAttributes(NetlinkWriter out, StateSpec spec) {
        AttributeValues.putMark(out, spec.mark());
        StateNumber.IF_ID.put(out, spec);
        StateNumber.PCPU.put(out, spec);
        StateNumber.DIRECTION.put(out, spec);
    }

    /**
     * Fixed part and attributes of NEWAE.
     *
     * @param flags {@code AE_} bits of {@link XfrmMessage}; two of them ask for the thresholds
     */
    public static void putAevent(NetlinkWriter out, State state, int flags) {
        StateSpec spec = state.spec();
        new AeventId(id(state), spec.saddr(), flags, spec.reqid()).write(out.room(AeventId.BYTES));
        putReplay(out, state);
        int attribute = out.beginAttribute(XfrmAttribute.LTIME_VAL);
        Structs.writeLifetimeCurrent(out.room(Structs.LIFETIME_CURRENT_BYTES), current(state.usage()));
        out.endAttribute(attribute);
        if ((flags & XfrmMessage.AE_REPLAY_THRESHOLD) != 0) {
            out.putInt(XfrmAttribute.REPLAY_THRESH, spec.replayMaxDifference());
        }
        if ((flags & XfrmMessage.AE_TIMER_THRESHOLD) != 0) {
            out.putInt(XfrmAttribute.ETIMER_THRESH, spec.replayMaxAge());
        }
        putExpireAttributes(out, state);
    }
}
