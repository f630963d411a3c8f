package org.xfrmbridge.daemon.port;

import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.xfrmbridge.daemon.os.EventDescriptor;
import org.xfrmbridge.daemon.os.EventSet;
import org.xfrmbridge.daemon.os.IpSocket;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.os.PollSet;
import org.xfrmbridge.io.PacketBatch;
import org.xfrmbridge.io.PacketPool;
import org.xfrmbridge.io.PacketPort;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * The network as the host's own stack sees it, by sockets. What is sent takes the host's routes and passes its output
 * rules, with the frame's mark, source address and interface. What is received are the host's packets of ESP, AH and
 * IPComp, ESP in UDP, and what routers say of the path MTU; whole packets that have passed the host's input rules. Link
 * headers are made up.
 *
 * <p>The methods besides those of {@link PacketPort} are for any thread, but for {@link #release}.
 */
public final class IpSocketPort implements PacketPort {
    private static final int BATCH_FRAMES = 64;
    private static final int WAKING = -1;

    private final EventDescriptor wakeup = new EventDescriptor();
    private final EventSet events = new EventSet();
    private final boolean hasIpv6;
    private final Shortcuts.Source shortcuts;
    private final ThreadLocal<IpSocketOutput> output;
    /** What belongs to threads that send. */
    private final Queue<Runnable> closing = new ConcurrentLinkedQueue<>();

    private final IpSocketInput input = new IpSocketInput();
    private final RingInput rings;
    private final Moderation moderation = new Moderation();
    /** Those at which something waits. Receiving thread only. */
    private final Queue<SocketReceiver> ready = new ArrayDeque<>();

    /** What an event's key means; slots of closed ones are null. Replaced, never changed. */
    private volatile SocketReceiver[] receivers = {};

    private Encapsulations encapsulations = new Encapsulations(false, false);
    private boolean receivesIpInIp;
    private long missedByClosed;
    private volatile boolean closed;

    /**
     * EPERM without CAP_NET_RAW and CAP_NET_ADMIN.
     *
     * @param trains whether ESP in UDP goes and comes in trains; else packet by packet
     */
    public IpSocketPort(Shortcuts.Source shortcuts, InboundShortcuts.Source inbound, boolean trains)
            throws OsException {
        this.shortcuts = shortcuts;
        rings = new RingInput(inbound, events.fd());
        try {
            events.add(wakeup.fd(), PollSet.READ, WAKING);
            hasIpv6 = newSenders().haveIpv6();
            encapsulations = new Encapsulations(hasIpv6, trains);
            for (int protocol : new int[] {IpProtocol.ESP, IpProtocol.AH, IpProtocol.COMP}) {
                receive(protocol);
            }
            add(new SocketReceiver(IpSocket.errorReceiver(AddressFamily.INET), IpProtocol.ICMP, 0));
            if (hasIpv6) {
                add(new SocketReceiver(IpSocket.errorReceiver(AddressFamily.INET6), IpProtocol.ICMPV6, 0));
            }
        } catch (OsException e) {
            release();
            throw e;
        }
        output = ThreadLocal.withInitial(this::newOutput);
    }

    private IpSocketOutput newOutput() {
        try {
            IpSocket link = IpSocket.linkSender();
            closing.add(link::close);
            Shortcuts own = shortcuts.open();
            closing.add(own::close);
            return new IpSocketOutput(newSenders(), encapsulations, link, own);
        } catch (OsException e) {
            throw new UncheckedIOException(e);
        }
    }

    private IpSenders newSenders() throws OsException {
        IpSenders senders = new IpSenders();
        closing.add(senders::close);
        return senders;
    }

    private void receive(int protocol) throws OsException {
        add(new SocketReceiver(IpSocket.receiver(AddressFamily.INET, protocol), protocol, 0));
        if (hasIpv6) {
            add(new SocketReceiver(IpSocket.receiver(AddressFamily.INET6, protocol), protocol, 0));
        }
    }

    /**
     * Receives IP in IP from now on, too: an IPComp tunnel sends so what does not become smaller. Tunnels of the host
     * itself go on, but each of their packets comes here as well.
     */
    public synchronized void receiveIpInIp() throws OsException {
        if (!receivesIpInIp) {
            receivesIpInIp = true;
            receive(IpProtocol.IPIP);
            receive(IpProtocol.IPV6);
        }
    }

    /**
     * Receives ESP in UDP that was sent to a port of the host's from now on.
     *
     * @return the UDP port to which rules must redirect it, of both families; the same while it is open. They must
     *     leave a datagram without a checksum without one, as ESP in UDP mostly is
     */
    public synchronized int openEncapsulation(int port) throws OsException {
        Encapsulations.Entry entry = encapsulations.find(port);
        if (entry == null) {
            entry = encapsulations.open(port);
            add(new SocketReceiver(entry.v4(), IpProtocol.UDP, port));
            if (entry.v6() != null) {
                add(new SocketReceiver(entry.v6(), IpProtocol.UDP, port));
            }
        }
        return entry.v4().port();
    }

    /**
     * Whether rules now give what comes from the port that {@link #openEncapsulation} told the open port as its source.
     * Then ESP in UDP is sent from there, several packets at a time, which costs the host a fraction.
     */
    public synchronized void setSourceRedirected(int port, boolean redirected) {
        encapsulations.setSending(port, redirected);
    }

    /**
     * Whether devices take trains: their checksums must be theirs to finish. A kernel that finishes them itself, since
     * Linux 6.11, has no sign of that on a packet, so that rules which exchange ports, as those of
     * {@link #setSourceRedirected} or of NAT, spoil them.
     */
    public void setTrainsTaken(boolean taken) {
        encapsulations.setSendingTrains(taken);
    }

    /** No more ESP in UDP of that port, which rules redirect no more. */
    public synchronized void closeEncapsulation(int port) throws OsException {
        Encapsulations.Entry entry = encapsulations.close(port);
        if (entry != null) {
            remove(entry.v4());
            if (entry.v6() != null) {
                remove(entry.v6());
            }
        }
    }

    private synchronized void add(SocketReceiver receiver) throws OsException {
        SocketReceiver[] now = receivers;
        int key = 0;
        while (key < now.length && now[key] != null) {
            key++;
        }
        SocketReceiver[] more = Arrays.copyOf(now, Math.max(now.length, key + 1));
        more[key] = receiver;
        receivers = more;
        events.add(receiver.socket().fd(), PollSet.READ, key);
    }

    private void remove(IpSocket socket) throws OsException {
        missedByClosed += socket.missed();
        events.remove(socket.fd());
        SocketReceiver[] less = receivers.clone();
        for (int key = 0; key < less.length; key++) {
            less[key] = less[key] != null && less[key].socket() == socket ? null : less[key];
        }
        receivers = less;
    }

    /** However much comes by one way, the other gets its turn. */
    @Override
    public void receive(PacketPool pool, PacketBatch into) {
        if (areSocketsEmpty()) {
            if (!rings.haveFrames()) {
                moderation.pause();
            }
            await(0);
        }
        boolean socketsWait = !areSocketsEmpty();
        int messages = rings.receive(pool, into, socketsWait, socketsWait ? BATCH_FRAMES / 2 : BATCH_FRAMES);
        while (!rings.areFirst() && into.size() < BATCH_FRAMES && (!input.isEmpty() || fetch())) {
            take(pool, into);
            messages++;
        }
        moderation.note(messages);
    }

    private boolean areSocketsEmpty() {
        return ready.isEmpty() && input.isEmpty();
    }

    private void take(PacketPool pool, PacketBatch into) {
        int first = into.size();
        input.take(pool, into);
        if (input.isEsp() && into.size() > first) {
            rings.note(into.get(first));
        }
    }

    /** Fetches from the first at which something may wait; each in turn. */
    private boolean fetch() {
        for (SocketReceiver first = ready.poll(); first != null; first = ready.poll()) {
            if (input.fetch(first)) {
                ready.add(first);
            }
            if (!input.isEmpty()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void send(PacketBatch batch) {
        output.get().send(batch);
    }

    @Override
    public synchronized long missed() {
        long missed = missedByClosed + rings.missed();
        for (SocketReceiver receiver : receivers) {
            missed += receiver == null ? 0 : receiver.socket().missed();
        }
        return missed;
    }

    @Override
    public boolean await(int timeoutMs) {
        if (closed) {
            return false;
        }
        int ms = areSocketsEmpty() ? timeoutMs : 0;
        int happened = events.await(ms != 0 && rings.await(ms) ? 0 : ms);
        SocketReceiver[] now = receivers;
        for (int event = 0; event < happened; event++) {
            int key = events.key(event);
            if (key == WAKING) {
                wakeup.drain();
            }
            SocketReceiver receiver = key == WAKING ? null : now[key];
            if (receiver != null && !ready.contains(receiver)) {
                ready.add(receiver);
            }
        }
        return !closed;
    }

    @Override
    public void wake() {
        wakeup.signal();
    }

    /** Wakes the receiving thread. */
    @Override
    public void close() {
        closed = true;
        wakeup.signal();
    }

    /** Closes all sockets: when no thread receives or sends any more. */
    public synchronized void release() {
        for (SocketReceiver receiver : receivers) {
            if (receiver != null) {
                receiver.socket().close();
            }
        }
        rings.close();
        encapsulations.release();
        closing.forEach(Runnable::run);
        events.close();
        wakeup.close();
    }
}
