package org.xfrmbridge.km;

import java.util.function.ToIntFunction;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.Template;

/**
 * What the packet path tells the control side. Called on datapath threads; returns at once: the event is queued for the
 * control thread, which checks again before it acts, so that telling twice does no harm. All of it is rare.
 */
public interface DatapathEvents {
    /**
     * No State serves a template: make a larval one and ask the key managers. The flow is copied.
     *
     * @param device by which the copy would leave; the control thread asks it once the key managers are to be asked
     * @return false where a kernel would have no memory for the larval State: too many wait for an answer
     */
    boolean acquire(
            Policy policy, Template template, Flow flow, Address daddr, Address saddr, ToIntFunction<Flow> device);

    /** A byte or packet limit was reached: soft or hard, the control side looks. */
    void limitReached(State state);

    /** An authenticated encapsulated packet came from another address or port. */
    void mappingChanged(State state, Address newSaddr, int newSport);

    /** Whether {@link #replayAdvanced} interests anybody. Cheap enough to ask for every packet. */
    boolean hearsReplay();

    /**
     * A replay counter passed the State's threshold: {@link State#isSentNoticeDue} or {@link State#isReceivedNoticeDue}
     * says so.
     */
    void replayAdvanced(State state);
}
