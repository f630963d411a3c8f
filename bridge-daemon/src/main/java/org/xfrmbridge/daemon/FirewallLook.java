package org.xfrmbridge.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.xfrmbridge.daemon.firewall.FirewallCheck;
import org.xfrmbridge.daemon.nft.NetfilterSocket;
import org.xfrmbridge.daemon.os.NetlinkSocket;
import org.xfrmbridge.daemon.os.OsException;

/** What is to be said of the host's own rules, for whoever asks how a bridge in the stack is. Any thread. */
final class FirewallLook {
    /** Tables of the older iptables: of their changes nobody is told. */
    private static final List<Path> OLDER = List.of(
            Path.of("/proc/thread-self/net/ip_tables_names"), Path.of("/proc/thread-self/net/ip6_tables_names"));

    private final String tap;
    private final AtomicBoolean looking = new AtomicBoolean();
    private volatile Remark last;

    /** @param tap the bridge's interface */
    FirewallLook(String tap) {
        this.tap = tap;
    }

    /**
     * What was found.
     *
     * @param generation of the rules that were looked at
     * @param text null for nothing to say
     */
    record Remark(int generation, String text) {}

    /**
     * Of the rules as they are. Null if they have changed since they were looked at: then they are looked at meanwhile,
     * which takes too long for who waits here.
     */
    Remark now() {
        try {
            Remark remark = last;
            if (remark != null && remark.generation() == generation() && !hasOlder()) {
                return remark;
            }
        } catch (IOException e) {
            return null;
        }
        if (looking.compareAndSet(false, true)) {
            Thread.ofPlatform().daemon().name("firewall").start(this::look);
        }
        return null;
    }

    private void look() {
        try {
            int generation = generation();
            last = new Remark(generation, FirewallCheck.remark(tap));
        } catch (OsException e) {
            last = null;
        } finally {
            looking.set(false);
        }
    }

    private static int generation() throws OsException {
        try (NetfilterSocket netfilter = new NetfilterSocket(NetlinkSocket.toNetfilter())) {
            return netfilter.generation();
        }
    }

    private static boolean hasOlder() throws IOException {
        for (Path names : OLDER) {
            if (Files.exists(names) && !Files.readString(names).isBlank()) {
                return true;
            }
        }
        return false;
    }
}
