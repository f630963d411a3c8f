package org.xfrmbridge.daemon;

import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.attach.StackUnderlay;
import org.xfrmbridge.daemon.nft.ClearQueue;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.selection.EncapsulationPorts;
import org.xfrmbridge.daemon.selection.Selection;
import org.xfrmbridge.datapath.ClearPath;
import org.xfrmbridge.db.Databases;
import org.xfrmbridge.km.ChangeListener;
import org.xfrmbridge.km.Origin;
import org.xfrmbridge.stack.XfrmStack;
import org.xfrmbridge.time.Clock;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.State;

/**
 * What a bridge in the host's stack has besides: the selection of what comes to it, the ports of ESP in UDP, and the
 * judge of what came in the clear, who has a thread of his own. All else on the control thread.
 */
final class InStack implements ChangeListener {
    private static final Logger LOG = LoggerFactory.getLogger(InStack.class);
    private static final int IDLE_MS = 1000;

    private final StackUnderlay underlay;
    private final Selection selection;
    private final ClearPath clearPath;

    /** Of databases that have the policies of the bridge before. */
    InStack(StackUnderlay underlay, Databases databases, XfrmStack stack, Clock clock) {
        this.underlay = underlay;
        clearPath = stack.clearPath();
        selection = new Selection(databases, underlay.selectionTable(), underlay.barrier(), clock, underlay.markBits());
        stack.engine().listen(selection);
        stack.engine().listen(this);
        new EncapsulationPorts(databases.sockets(), this::encapsulate);
    }

    /** An IPComp tunnel sends as IP in IP what does not become smaller. */
    @Override
    public void stateChanged(Change change, State state, Origin origin) {
        if (change != Change.NEW || state.id().protocol() != IpProtocol.COMP) {
            return;
        }
        try {
            underlay.receiveIpInIp();
        } catch (OsException e) {
            LOG.warn("what IPComp tunnels send uncompressed does not come to the bridge: {}", e.getMessage());
        }
    }

    private void encapsulate(Set<Integer> ports) {
        try {
            underlay.encapsulate(ports);
        } catch (OsException e) {
            LOG.warn("ESP in UDP at the ports {} does not come to the bridge: {}", ports, e.getMessage());
        }
    }

    /** Once policies and sockets of the bridge before are known, and before packets pass. */
    void start() throws OsException {
        selection.start();
    }

    void afterEachRound() {
        selection.afterEachRound();
    }

    /** By when {@link #afterEachRound} is to be called. */
    long nextDeadlineNs() {
        return selection.nextDeadlineNs();
    }

    /** For people: in which directions all packets come to the bridge, and why. */
    List<String> wideScopes() {
        return selection.wideScopes();
    }

    /** For people: what does not pass at all, and why. */
    List<String> closed() {
        return selection.isClosed()
                ? List.of("nothing leaves the host: nftables cannot be told what to protect, see the log")
                : List.of();
    }

    /** What came in the clear and was not judged, as too much waited. */
    long missed() {
        return underlay.clearQueue().missed();
    }

    /** Judges what came in the clear, until the queue is closed. */
    void judge() {
        ClearQueue queue = underlay.clearQueue();
        ClearQueue.Judge judge = (direction, frame) -> clearPath.judge(direction, frame) == null;
        while (queue.await(IDLE_MS)) {
            while (queue.doWork(judge) > 0) {}
        }
    }

    /** Any thread: ends {@link #judge}. */
    void end() {
        underlay.clearQueue().close();
    }
}
