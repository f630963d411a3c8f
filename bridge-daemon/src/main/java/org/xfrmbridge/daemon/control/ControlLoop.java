package org.xfrmbridge.daemon.control;

import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.EventDescriptor;
import org.xfrmbridge.daemon.os.EventSet;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;
import org.xfrmbridge.time.Clock;

/**
 * The one thread that changes anything (a kernel serialises changes, too). A round: wait; what the datapath told;
 * pending connections; one turn, which is bounded, for every channel that has something; what another thread asked for;
 * timers. Connections come first so that a client which connected before another one sent a message also exists before
 * that message is handled.
 *
 * <p>Who has no rights is served by a loop and a thread of its own, and never here.
 *
 * <p>A client that sends one request after the other, each when the one before is answered, would pay for two wakeups
 * with each: some 30 us on a virtual machine, where the work takes one. So after the answer to a client that was that
 * fast before, the loop looks for the next request for a moment before it sleeps, and yields the core to whoever wants
 * it between two looks.
 */
public final class ControlLoop implements Executor {
    private static final Logger LOG = LoggerFactory.getLogger(ControlLoop.class);

    /** A client whose request came within this time after an answer is in a dialogue. */
    private static final long DIALOGUE_NS = 100_000;

    /** How long a dialogue's next request is looked for. */
    private static final long LOOKING_NS = 50_000;

    /** What a round does besides its channels. */
    interface Work {
        /** Handles what datapath threads told. */
        void drainEvents();

        /** Runs timers that are due. */
        void runTimers();

        /** On the clock; {@link Long#MAX_VALUE} for none. */
        long nextDeadlineNs();
    }

    /** What waits in the set, by descriptor. */
    private static final class Member {
        final Channel channel;
        int interest;

        Member(Channel channel) {
            this.channel = channel;
            interest = channel.interest();
        }
    }

    private final Clock clock;
    private final EventDescriptor wakeup;
    private final EventSet events;
    private Member[] members = new Member[64];
    private final BusyMailboxes busyMailboxes = new BusyMailboxes();
    private final Queue<Runnable> asked = new ConcurrentLinkedQueue<>();
    private boolean dialogue;
    private volatile boolean stopping;

    public ControlLoop(Clock clock) throws OsException {
        this.clock = clock;
        wakeup = new EventDescriptor();
        events = new EventSet();
        events.add(wakeup.fd(), PollSet.READ, wakeup.fd());
    }

    /** Where clients with mailboxes are noted. */
    BusyMailboxes busyMailboxes() {
        return busyMailboxes;
    }

    /** Any thread: makes the loop go round. */
    public void wakeUp() {
        wakeup.signal();
    }

    /**
     * Any thread: something to do on the loop's thread, one in a round.
     *
     * @throws RejectedExecutionException if the loop ends: nobody would do it
     */
    @Override
    public void execute(Runnable task) {
        if (stopping) {
            throw new RejectedExecutionException("the loop ends");
        }
        asked.add(task);
        wakeUp();
    }

    /** Any thread: ends the loop. */
    public void stop() {
        stopping = true;
        wakeUp();
    }

    /** The channel is the loop's from here on; it is closed if it cannot be waited on. */
    void add(Channel channel) throws OsException {
        int fd = channel.fd();
        if (fd >= members.length) {
            members = Arrays.copyOf(members, 2 * fd);
        }
        Member member = new Member(channel);
        try {
            events.add(fd, member.interest, fd);
        } catch (OsException e) {
            channel.close();
            throw e;
        }
        members[fd] = member;
    }

    /** Until it is stopped; closes its channels then. @param work done in each round besides them */
    void run(Work work) {
        while (!stopping) {
            try {
                round(work);
            } catch (RuntimeException e) {
                // A fault in one round must not end the service of all others; nothing else would restore it.
                LOG.error("a fault on the control thread", e);
            }
        }
        for (Member member : members) {
            if (member != null) {
                member.channel.close();
            }
        }
        events.close();
        wakeup.close();
    }

    private void round(Work work) {
        long startNs = clock.nowNs();
        int count = await(startNs, work);
        long waitedNs = clock.nowNs() - startNs;
        drainWakeup(count);
        work.drainEvents();
        boolean greeted = acceptClients(count);
        boolean talked = serveClients(count);
        // Who just connected is about to ask.
        dialogue = greeted || talked && waitedNs < DIALOGUE_NS;
        doWhatIsAsked();
        for (int fd = 0; fd < members.length; fd++) {
            if (members[fd] != null) {
                update(fd, members[fd]);
            }
        }
        work.runTimers();
    }

    /** Waits until there are events or requests in mailboxes, or timers are due; returns how many events. */
    private int await(long startNs, Work work) {
        boolean asked = dialogue && busyMailboxes.look();
        while (dialogue && !asked && clock.nowNs() - startNs < LOOKING_NS) {
            int count = events.await(0);
            if (count > 0) {
                return count;
            }
            Thread.yield();
            asked = busyMailboxes.look();
        }
        // A request that comes from here on comes through the socket.
        asked = asked || busyMailboxes.rest();
        return events.await(asked ? 0 : timeoutMs(work));
    }

    /** Before the datapath's events are taken: one that comes later must wake the loop again. */
    private void drainWakeup(int count) {
        for (int i = 0; i < count; i++) {
            if (events.key(i) == wakeup.fd()) {
                wakeup.drain();
            }
        }
    }

    /** Returns whether there were any. */
    private boolean acceptClients(int count) {
        boolean any = false;
        for (int i = 0; i < count; i++) {
            Member member = members[events.key(i)];
            if (member != null && member.channel instanceof Listener) {
                member.channel.ready();
                any = true;
            }
        }
        return any;
    }

    /** Returns whether a client's requests were among what was served. */
    private boolean serveClients(int count) {
        boolean talked = busyMailboxes.serve();
        for (int i = 0; i < count; i++) {
            Member member = members[events.key(i)];
            if (member != null && !(member.channel instanceof Listener) && member.channel.isOpen()) {
                member.channel.ready();
                talked |= member.channel instanceof DatagramChannel;
            }
        }
        return talked;
    }

    private void doWhatIsAsked() {
        Runnable task = asked.poll();
        if (task == null) {
            return;
        }
        if (!asked.isEmpty()) {
            wakeUp();
        }
        task.run();
    }

    /** What one channel did may have changed what another waits for. */
    private void update(int fd, Member member) {
        Channel channel = member.channel;
        if (!channel.isOpen()) {
            members[fd] = null;
            channel.close();
        } else if (channel.interest() != member.interest) {
            member.interest = channel.interest();
            change(fd, member);
        }
    }

    private void change(int fd, Member member) {
        try {
            events.change(fd, member.interest, fd);
        } catch (OsException e) {
            LOG.error("a client is not served further: {}", e.getMessage());
            members[fd] = null;
            member.channel.close();
        }
    }

    private int timeoutMs(Work work) {
        long deadlineNs = work.nextDeadlineNs();
        if (deadlineNs == Long.MAX_VALUE) {
            return -1;
        }
        long waitNs = deadlineNs - clock.nowNs();
        // Rounded up: waking before the deadline would only make the loop go round again.
        return Math.clamp(TimeUnit.NANOSECONDS.toMillis(waitNs + 999_999), 0, 60_000);
    }
}
