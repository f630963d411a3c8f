package org.xfrmbridge.datapath;

import java.util.Arrays;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.Template;

/** The States an inbound packet has come through, outermost first: {@code struct sec_path}. Reused packet by packet. */
final class SecPath {
    private final State[] states = new State[Template.MAX_DEPTH];
    private final long[] sequences = new long[Template.MAX_DEPTH];
    private int length;

    void clear() {
        length = 0;
    }

    void copyFrom(SecPath other) {
        System.arraycopy(other.states, 0, states, 0, other.length);
        System.arraycopy(other.sequences, 0, sequences, 0, other.length);
        length = other.length;
    }

    /**
     * Whether packets that came this way are as good as those of another: through the same State each, or one that does
     * the same between the same ends, as after rekeying. What an IPComp tunnel sends uncompressed comes through the
     * State beside.
     */
    boolean isLike(SecPath other) {
        if (length != other.length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (states[i] != other.states[i] && !areAlike(states[i], other.states[i])) {
                return false;
            }
        }
        return true;
    }

    private static boolean areAlike(State one, State other) {
        StateSpec a = one.spec();
        StateSpec b = other.spec();
        boolean sameWay = a.family() == b.family()
                && a.mode() == b.mode()
                && a.ifId() == b.ifId()
                && a.id().daddr().equals(b.id().daddr())
                && a.saddr().equals(b.saddr());
        boolean sameWork = a.id().protocol() == b.id().protocol() && a.reqid() == b.reqid();
        return sameWay && (sameWork || (isCompressed(one) && isCompressed(other)));
    }

    private static boolean isCompressed(State state) {
        return state.isInternal() || state.id().protocol() == IpProtocol.COMP;
    }

    boolean isEmpty() {
        return length == 0;
    }

    boolean isFull() {
        return length == states.length;
    }

    int length() {
        return length;
    }

    State get(int index) {
        return states[index];
    }

    /** A copy, outermost first. */
    State[] states() {
        return Arrays.copyOf(states, length);
    }

    /** @param sequence the packet's number there */
    void add(State state, long sequence) {
        sequences[length] = sequence;
        states[length++] = state;
    }

    long sequence(int index) {
        return sequences[index];
    }

    /** The one State that stands for the whole path when it is compared; null if there is none. */
    State last() {
        return length == 0 ? null : states[length - 1];
    }
}
