package org.xfrmbridge.daemon.port;

import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
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
    private static final int MOST_TRIES = 16;

    private final EventDescriptor wakeup = new EventDescriptor();
    private final EventSet events = new EventSet();
    private final IpSocket senderV4;
    private final IpSocket senderV6;
    private final ThreadLocal<IpSocketOutput> output;
    private final Queue<IpSocket> boundSenders = new ConcurrentLinkedQueue<>();

    private final IpSocketInput input = new IpSocketInput();
    /** Those at which something waits. Receiving thread only. */
    private final Queue<SocketReceiver> ready = new ArrayDeque<>();

    /** What an event's key means; slots of closed ones are null. Replaced, never changed. */
    private volatile SocketReceiver[] receivers = {};
    /** Closed by the receiving thread, which may be about to read from them. */
    private final Queue<SocketReceiver> unwanted = new ConcurrentLinkedQueue<>();

    private final Map<Integer, Encapsulation> encapsulations = new HashMap<>();
    private boolean receivesIpInIp;
    private volatile boolean closed;

    /** @param v6 null on a host without IPv6 */
    private record Encapsulation(SocketReceiver v4, SocketReceiver v6) {}

    /** EPERM without CAP_NET_RAW and CAP_NET_ADMIN. */
    public IpSocketPort() throws OsException {
        try {
            events.add(wakeup.fd(), PollSet.READ, WAKING);
            senderV4 = IpSocket.sender(AddressFamily.INET);
            senderV6 = ipv6Sender();
            for (int protocol : new int[] {IpProtocol.ESP, IpProtocol.AH, IpProtocol.COMP}) {
                receive(protocol);
            }
            add(new SocketReceiver(IpSocket.errorReceiver(AddressFamily.INET), IpProtocol.ICMP, 0));
            if (senderV6 != null) {
                add(new SocketReceiver(IpSocket.errorReceiver(AddressFamily.INET6), IpProtocol.ICMPV6, 0));
            }
        } catch (OsException e) {
            release();
            throw e;
        }
        output = ThreadLocal.withInitial(() -> new IpSocketOutput(senderV4, senderV6, newBoundSender()));
    }

    private static IpSocket ipv6Sender() throws OsException {
        try {
            return IpSocket.sender(AddressFamily.INET6);
        } catch (OsException e) {
            if (e.errno() == OsException.EAFNOSUPPORT) {
                return null;
            }
            throw e;
        }
    }

    /** Of a thread that sends; null on a host without IPv6. */
    private IpSocket newBoundSender() {
        try {
            IpSocket sender = ipv6Sender();
            if (sender != null) {
                boundSenders.add(sender);
            }
            return sender;
        } catch (OsException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void receive(int protocol) throws OsException {
        add(new SocketReceiver(IpSocket.receiver(AddressFamily.INET, protocol), protocol, 0));
        if (senderV6 != null) {
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
     * @return the UDP port to which rules must redirect it, of both families; the same while it is open
     */
    public synchronized int openEncapsulation(int port) throws OsException {
        Encapsulation encapsulation = encapsulations.get(port);
        if (encapsulation == null) {
            encapsulation = newEncapsulation(port);
            encapsulations.put(port, encapsulation);
        }
        return encapsulation.v4.socket().port();
    }

    private Encapsulation newEncapsulation(int port) throws OsException {
        IpSocket v4 = IpSocket.udpReceiver(AddressFamily.INET, 0);
        for (int tries = 1; senderV6 != null; tries++) {
            try {
                IpSocket v6 = IpSocket.udpReceiver(AddressFamily.INET6, v4.port());
                return new Encapsulation(addUdp(v4, port), addUdp(v6, port));
            } catch (OsException e) {
                v4.close();
                if (e.errno() != OsException.EADDRINUSE || tries == MOST_TRIES) {
                    throw e;
                }
                v4 = IpSocket.udpReceiver(AddressFamily.INET, 0);
            }
        }
        return new Encapsulation(addUdp(v4, port), null);
    }

    private SocketReceiver addUdp(IpSocket socket, int port) throws OsException {
        return add(new SocketReceiver(socket, IpProtocol.UDP, port));
    }

    /** No more ESP in UDP of that port, which rules redirect no more. */
    public synchronized void closeEncapsulation(int port) {
        Encapsulation encapsulation = encapsulations.remove(port);
        if (encapsulation != null) {
            unwanted.add(encapsulation.v4);
            if (encapsulation.v6 != null) {
                unwanted.add(encapsulation.v6);
            }
            wakeup.signal();
        }
    }

    private synchronized SocketReceiver add(SocketReceiver receiver) throws OsException {
        SocketReceiver[] now = receivers;
        int key = 0;
        while (key < now.length && now[key] != null) {
            key++;
        }
        SocketReceiver[] more = Arrays.copyOf(now, Math.max(now.length, key + 1));
        more[key] = receiver;
        receivers = more;
        events.add(receiver.socket().fd(), PollSet.READ, key);
        return receiver;
    }

    private synchronized void remove(SocketReceiver receiver) {
        SocketReceiver[] now = receivers.clone();
        now[Arrays.asList(now).indexOf(receiver)] = null;
        receivers = now;
        ready.remove(receiver);
        receiver.socket().close();
    }

    @Override
    public void receive(PacketPool pool, PacketBatch into) {
        removeUnwanted();
        if (ready.isEmpty() && input.isEmpty()) {
            await(0);
        }
        while (into.size() < BATCH_FRAMES && (!input.isEmpty() || fetch())) {
            input.take(pool, into);
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

    private void removeUnwanted() {
        for (SocketReceiver one = unwanted.poll(); one != null; one = unwanted.poll()) {
            remove(one);
        }
    }

    @Override
    public void send(PacketBatch batch) {
        output.get().send(batch);
    }

    @Override
    public boolean await(int timeoutMs) {
        if (closed) {
            return false;
        }
        int happened = events.await(ready.isEmpty() && input.isEmpty() ? timeoutMs : 0);
        SocketReceiver[] now = receivers;
        for (int event = 0; event < happened; event++) {
            int key = events.key(event);
            if (key == WAKING) {
                wakeup.drain();
            } else if (!ready.contains(now[key])) {
                ready.add(now[key]);
            }
        }
        return !closed;
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
        if (senderV4 != null) {
            senderV4.close();
        }
        if (senderV6 != null) {
            senderV6.close();
        }
        boundSenders.forEach(IpSocket::close);
        events.close();
        wakeup.close();
    }
}
