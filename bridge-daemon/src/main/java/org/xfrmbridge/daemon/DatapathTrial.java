package org.xfrmbridge.daemon;

import com.google.common.util.concurrent.Uninterruptibles;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.daemon.os.SystemClock;
import org.xfrmbridge.datapath.PathContext.Placement;
import org.xfrmbridge.stack.PathTrial;
import org.xfrmbridge.time.Clock;

/**
 * Packets of nobody's, from a thread of their own ({@link PathTrial}). A few while the kernel is busy with what
 * attaching asks of it: the first of the host does not wait for classes to be found. The rest, full segments of TCP,
 * when the bridge is ready, at lowest priority: so many that the JVM has had its compiler work on all that a packet
 * meets between the ports, and a stream that begins later need not wait for that. They take some tenths of a second of
 * processor time; the compiler's work is what the stream's first packets would have caused. Once in the life of a
 * bridge.
 */
final class DatapathTrial {
    private static final Logger LOG = LoggerFactory.getLogger(DatapathTrial.class);

    static final int FIRST_PACKETS = 30;

    /**
     * What the JVM knows from its cache it compiles for the first time when it has been called 128 times, and for speed
     * at the 2,048th call of what was compiled then, which takes it a moment.
     */
    static final int PACKETS_OF_TUNNEL = 4000;

    /** Another number, for a JVM that does not compile for speed, as that of most tests. */
    private static final String PACKETS_PROPERTY = "xfrm-bridge.trial-packets";

    private static final int PACKETS_AT_ONCE = 200;
    private static final int PAUSE_MS = 15;

    private final Placement placement;
    private final int packetsOfTunnel;
    private final Clock clock = new SystemClock();
    private final CountDownLatch first = new CountDownLatch(1);
    private final CountDownLatch ready = new CountDownLatch(1);
    private final Thread thread;
    private volatile int back;

    private DatapathTrial(Placement placement, int packetsOfTunnel) {
        this.placement = placement;
        this.packetsOfTunnel = packetsOfTunnel;
        thread = Thread.ofPlatform().name("trial").daemon().unstarted(this::run);
    }

    /** Sends the first packets. */
    static DatapathTrial begin(Placement placement) {
        return begin(placement, Integer.getInteger(PACKETS_PROPERTY, PACKETS_OF_TUNNEL));
    }

    static DatapathTrial begin(Placement placement, int packetsOfTunnel) {
        DatapathTrial trial = new DatapathTrial(placement, packetsOfTunnel);
        trial.thread.start();
        return trial;
    }

    /** Waits until the first packets have found their way, or one has met a fault. */
    void awaitFirst() {
        Uninterruptibles.awaitUninterruptibly(first);
    }

    /** The bridge is ready: the rest may be sent. */
    void goOn() {
        ready.countDown();
    }

    /** Sends no more. */
    void end() {
        thread.interrupt();
        Uninterruptibles.joinUninterruptibly(thread);
    }

    /** How many packets came back so far. Any thread. */
    int back() {
        return back;
    }

    private void run() {
        try {
            PathTrial trial = PathTrial.overIp(clock, placement);
            back = trial.sendEchoes(FIRST_PACKETS);
            first.countDown();
            ready.await();
            // A stream that begins now wants the processors, too, and the compiler has work for a second or two.
            CurrentProcess.lowerCompilerPriority();
            CurrentProcess.lowerThreadPriority();
            sendRest(trial);
            sendRest(PathTrial.inUdp(clock, placement));
        } catch (InterruptedException e) {
            // The bridge ends before its packets have come.
        } catch (IOException e) {
            LOG.debug("the trial of the datapath ends with its first packets: {}", e.getMessage());
        } catch (RuntimeException e) {
            LOG.warn("a packet of nobody's did not find its way, and the first of the host may wait", e);
        } finally {
            first.countDown();
        }
    }

    private void sendRest(PathTrial trial) throws InterruptedException {
        for (int sent = 0; sent < packetsOfTunnel; sent += PACKETS_AT_ONCE) {
            back += trial.sendSegments(PACKETS_AT_ONCE);
            Thread.sleep(PAUSE_MS);
        }
    }
}
