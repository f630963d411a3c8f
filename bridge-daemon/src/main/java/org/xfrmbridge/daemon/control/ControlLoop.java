package org.xfrmbridge.daemon.control;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.EventDescriptor;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;
import org.xfrmbridge.time.Clock;

/**
 * The one thread that changes anything (a kernel serialises changes, too). A round: wait; what the datapath told; all pending connections; one turn
 * for every channel that has something; timers. Connections come first so that a client which connected before another one sent
 * a message also exists before that message is handled.
 */
public final class ControlLoop implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(ControlLoop.class);

    /** What a round does besides its channels. */
    public interface Work {
        /** Handles what datapath threads told. */
        void drainEvents();

        /** Runs timers that are due. */
        void runTimers();

        /** On the clock; {@link Long#MAX_VALUE} for none. */
        long nextDeadlineNs();
    }

    private final Clock clock;
    private final EventDescriptor wakeup;
    private final List<Listener> listeners = new ArrayList<>();
    private final List<Channel> channels = new ArrayList<>();
    private final PollSet poll = new PollSet();
    private Work work;
    private volatile boolean stopping;

    public ControlLoop(Clock clock) throws OsException {
        this.clock = clock;
        this.wakeup = new EventDescriptor();
    }

    /** Before {@link #run}. */
    public void setWork(Work newWork) {
        work = newWork;
    }

    /** Any thread: makes the loop go round. */
    public void wakeUp() {
        wakeup.signal();
    }

    /** Any thread: ends the loop. */
    public void stop() {
        stopping = true;
        wakeUp();
    }

    void add(Listener listener) {
        listeners.add(listener);
    }

    void add(Channel channel) {
        channels.add(channel);
    }

    @Override
    public void run() {
        while (!stopping) {
            try {
                round();
            } catch (RuntimeException e) {
                // A fault in one round must not end the service of all others; nothing else would restore it.
                LOG.error("a fault on the control thread", e);
            }
        }
        channels.forEach(Channel::close);
        listeners.forEach(Listener::close);
        wakeup.close();
    }

    private void round() {
        poll.clear();
        poll.add(wakeup.fd(), PollSet.READ);
        for (Listener listener : listeners) {
            poll.add(listener.fd(), PollSet.READ);
        }
        int waitedOn = channels.size();
        for (Channel channel : channels) {
            poll.add(channel.fd(), channel.interest());
        }
        poll.await(timeoutMs());
        if (poll.happened(0, PollSet.READ)) {
            wakeup.drain();
        }
        work.drainEvents();
        for (int i = 0; i < listeners.size(); i++) {
            if (poll.happened(1 + i, PollSet.READ)) {
                listeners.get(i).acceptAll();
            }
        }
        for (int i = 0; i < waitedOn; i++) {
            serve(channels.get(i), 1 + listeners.size() + i);
        }
        channels.removeIf(ControlLoop::closeIfOver);
        work.runTimers();
    }

    private static boolean closeIfOver(Channel channel) {
        if (channel.isOpen()) {
            return false;
        }
        channel.close();
        return true;
    }

    private void serve(Channel channel, int slot) {
        if (channel.isOpen() && poll.happened(slot, channel.interest())) {
            channel.ready();
        }
    }

    private int timeoutMs() {
        long deadlineNs = work.nextDeadlineNs();
        if (deadlineNs == Long.MAX_VALUE) {
            return -1;
        }
        long waitNs = deadlineNs - clock.nowNs();
        // Rounded up: waking before the deadline would only make the loop go round again.
        return Math.clamp(TimeUnit.NANOSECONDS.toMillis(waitNs + 999_999), 0, 60_000);
    }
}
