package org.xfrmbridge.daemon.host;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;

/**
 * Looks for IKE daemons that speak to the kernel's IPsec: who has a socket to its databases and one at a UDP port of
 * IKE, both in this network namespace. The sockets of clients of a bridge are none of the kernel's. One thread.
 */
public final class KernelKeyManagers implements AutoCloseable {
    private static final int[] IKE_PORTS = {500, 4500};
    private static final int[] FAMILIES = {AddressFamily.INET, AddressFamily.INET6};
    private static final Path PROC = Path.of("/proc");
    private static final String NETLINK = "netlink";
    private static final String PFKEY = "pfkey";
    private static final int PROTOCOL_COLUMN = 1;
    private static final String NETLINK_XFRM = "6";
    /** The kernel's own. */
    private static final String NO_INODE = "0";

    private final SocketTable sockets = new SocketTable();
    private Set<String> ofIke = Set.of();
    private Set<String> ofXfrm = Set.of();
    private List<Found> found = List.of();

    /** @param name of the program, as the kernel has it */
    public record Found(String name, long pid) {}

    /**
     * Those that can be seen: not processes of another container. Of processes it asks only if sockets have changed.
     */
    public List<Found> find() throws IOException {
        Set<String> xfrm = xfrmSockets();
        Set<String> ike = xfrm.isEmpty() ? Set.of() : ikeSockets();
        if (!xfrm.equals(ofXfrm) || !ike.equals(ofIke)) {
            found = ike.isEmpty() ? List.of() : owners(ike, xfrm);
            ofXfrm = xfrm;
            ofIke = ike;
        }
        return found;
    }

    private static Set<String> xfrmSockets() throws IOException {
        Set<String> links = new HashSet<>();
        for (String table : List.of(NETLINK, PFKEY)) {
            try (Stream<String> lines = Files.lines(Path.of("/proc/thread-self/net", table))) {
                lines.skip(1)
                        .map(line -> line.strip().split("\\s+"))
                        .filter(columns -> table.equals(PFKEY) || columns[PROTOCOL_COLUMN].equals(NETLINK_XFRM))
                        .map(columns -> columns[columns.length - 1])
                        .filter(inode -> !inode.equals(NO_INODE))
                        .forEach(inode -> links.add(link(inode)));
            } catch (NoSuchFileException e) {
                // A kernel without it.
            }
        }
        return links;
    }

    private Set<String> ikeSockets() throws IOException {
        Set<String> links = new HashSet<>();
        for (int family : FAMILIES) {
            for (int port : IKE_PORTS) {
                sockets.atPort(family, IpProtocol.UDP, port)
                        .forEach(entry -> links.add(link(String.valueOf(entry.inode()))));
            }
        }
        return links;
    }

    /** As /proc/PID/fd shows a socket. */
    private static String link(String inode) {
        return "socket:[" + inode + ']';
    }

    private static List<Found> owners(Set<String> ike, Set<String> xfrm) throws IOException {
        List<Found> owners = new ArrayList<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path process : processes) {
                Set<String> open = open(process);
                if (open.stream().anyMatch(ike::contains) && open.stream().anyMatch(xfrm::contains)) {
                    owners.add(new Found(
                            name(process), Long.parseLong(process.getFileName().toString())));
                }
            }
        }
        return owners;
    }

    /** Nothing of one that has ended. */
    private static Set<String> open(Path process) {
        try (Stream<Path> descriptors = Files.list(process.resolve("fd"))) {
            return descriptors.map(KernelKeyManagers::target).collect(Collectors.toSet());
        } catch (IOException e) {
            return Set.of();
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return "";
        }
    }

    private static String name(Path process) {
        try {
            return Files.readString(process.resolve("comm")).strip();
        } catch (IOException e) {
            return "a program";
        }
    }

    @Override
    public void close() {
        sockets.close();
    }
}
