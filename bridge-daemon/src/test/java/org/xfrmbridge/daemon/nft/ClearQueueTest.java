package org.xfrmbridge.daemon.nft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xfrmbridge.daemon.TestNetwork;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.selection.SelectionChange;
import org.xfrmbridge.daemon.selection.WideScope;
import org.xfrmbridge.io.PacketBuffer;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Direction;

/** Packets that come in the clear pass if the judge says so, and never without one. */
@Timeout(60)
class ClearQueueTest {
    private TestNetwork network;
    private NetlinkSocket owner;
    private ClearQueue queue;
    private int veth;

    @BeforeEach
    void open() throws Exception {
        network = new TestNetwork();
        veth = index("veth0");
        network.ip("link add xfrm0 type veth peer name xfrm1");
        network.inHere(() -> {
            queue = ClearQueue.open(StackNames.DEFAULT.userBits());
            owner = NetlinkSocket.toNetfilter();
            SelectionChange all = new SelectionChange(
                    List.of(),
                    List.of(),
                    List.of(),
                    Set.of(
                            new WideScope(Direction.IN, AddressFamily.INET),
                            new WideScope(Direction.IN, AddressFamily.INET6),
                            new WideScope(Direction.FWD, AddressFamily.INET)));
            return StackTable.install(StackNames.DEFAULT, index("xfrm0"), queue.number(), owner, false, all);
        });
    }

    @AfterEach
    void close() throws Exception {
        if (queue != null) {
            queue.close();
            queue.await(0);
            owner.close();
        }
        network.close();
    }

    private int index(String name) throws Exception {
        String link = network.ip("-o link show dev " + name);
        return Integer.parseInt(link.substring(0, link.indexOf(':')));
    }

    private Thread judge(ClearQueue.Judge judge) {
        return Thread.ofPlatform().daemon().start(() -> {
            while (queue.await(1000)) {
                queue.doWork(judge);
            }
        });
    }

    @Test
    void shouldAskAboutWhatIsForTheHost() throws Exception {
        judge((direction, frame) -> direction == Direction.IN && isEcho(frame) && frame.ifindex == veth);
        assertTrue(network.pingFromThere("192.0.2.1"));
    }

    /** With its Ethernet type, and an IPv4 header that says ICMP. */
    private static boolean isEcho(PacketBuffer frame) {
        byte[] data = frame.data;
        int at = frame.offset;
        return frame.length == 14 + 84 && data[at + 12] == 8 && data[at + 14] == 0x45 && data[at + 14 + 9] == 1;
    }

    @Test
    void shouldAskAboutWhatIsForwarded() throws Exception {
        network.exec("sysctl -qw net.ipv4.ip_forward=1");
        network.ip("addr add 198.51.100.1/24 dev xfrm1");
        network.ip("link set xfrm0 up");
        network.ip("link set xfrm1 up");
        network.ip("neigh add 198.51.100.2 lladdr 02:00:00:00:00:02 dev xfrm1");
        network.ipThere("route add 198.51.100.0/24 via 192.0.2.1");
        List<Direction> asked = new CopyOnWriteArrayList<>();
        judge((direction, frame) -> !asked.add(direction));
        assertFalse(network.pingFromThere("198.51.100.2"));
        assertEquals(List.of(Direction.FWD), asked);
    }

    @Test
    void shouldLetNothingPassThatIsNotAllowed() throws Exception {
        judge((direction, frame) -> false);
        assertFalse(network.pingFromThere("192.0.2.1"));
    }

    @Test
    void shouldLetNothingPassWithoutAJudge() throws Exception {
        assertFalse(network.pingFromThere("192.0.2.1"));
        queue.close();
        assertFalse(queue.await(0));
        assertFalse(network.pingFromThere("192.0.2.1"));
    }

    @Test
    void shouldDropWhatTheJudgeFailsAt() throws Exception {
        Thread.ofPlatform().daemon().start(() -> {
            while (queue.await(1000)) {
                try {
                    queue.doWork((direction, frame) -> {
                        throw new IllegalStateException("on purpose");
                    });
                } catch (IllegalStateException e) {
                    continue;
                }
            }
        });
        assertFalse(network.pingFromThere("192.0.2.1"));
        // No packet waits for a verdict any more: the third number from the left.
        assertEquals(
                "0",
                network.exec("cat /proc/net/netfilter/nfnetlink_queue").trim().split(" +")[2]);
    }

    @Test
    void shouldTakeTheNextNumberWhenOneIsTaken() throws Exception {
        ClearQueue other = network.inHere(() -> ClearQueue.open(StackNames.DEFAULT.userBits()));
        assertEquals(queue.number() + 1, other.number());
        other.close();
        other.await(0);
    }
}
