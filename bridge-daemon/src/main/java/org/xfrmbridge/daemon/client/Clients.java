package org.xfrmbridge.daemon.client;

import java.io.IOException;
import java.nio.file.Path;
import org.xfrmbridge.daemon.os.ClientSocket;
import org.xfrmbridge.netlink.client.NetlinkConnection;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.pfkey.client.PfkeyClient;

/**
 * Opens IPsec databases for Java programs: the kernel's, in the network namespace of the calling thread, or a bridge's,
 * by its directory. The JVM needs {@code --enable-native-access=ALL-UNNAMED}.
 */
public final class Clients {
    private Clients() {}

    /** The kernel's, over NETLINK_XFRM. */
    public static XfrmClient xfrmOfKernel() throws IOException {
        return XfrmClient.open(KernelConnection::open);
    }

    /** The kernel's, over PF_KEY: EAFNOSUPPORT if it has none. */
    public static PfkeyClient pfkeyOfKernel() throws IOException {
        return PfkeyClient.open(ClientSocket::pfkey);
    }

    /** A bridge's, over its pfkey.sock. */
    public static PfkeyClient pfkeyOfBridge(Path directory) throws IOException {
        return PfkeyClient.open(() -> BridgeConnection.pfkey(directory));
    }

    /** A bridge's netlink.sock itself, for messages that no method of {@link XfrmClient} sends. */
    public static NetlinkConnection netlinkOfBridge(Path directory) throws IOException {
        return BridgeConnection.netlink(directory);
    }

    /** The kernel's NETLINK_XFRM itself. */
    public static NetlinkConnection netlinkOfKernel() throws IOException {
        return KernelConnection.open();
    }

    /** A bridge's, over its netlink.sock. @param directory given to {@code xfrm-bridge run --dir} */
    public static XfrmClient xfrmOfBridge(Path directory) throws IOException {
        return XfrmClient.open(() -> BridgeConnection.netlink(directory));
    }
}
