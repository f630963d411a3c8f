package org.xfrmbridge.datapath;

import java.util.Arrays;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.Template;

/** The States an inbound packet has come through, outermost first: {@code struct sec_path}. Reused packet by packet. */
final class SecPath {
    private final State[] states = new State[Template.MAX_DEPTH];
    private int length;

    void clear() {
        length = 0;
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

    void add(State state) {
        states[length++] = state;
    }

    /** The one State that stands for the whole path when it is compared; null if there is none. */
    State last() {
        return length == 0 ? null : states[length - 1];
    }
}
