package org.xfrmbridge.example;

import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.km.RefusedException;
import org.xfrmbridge.netlink.client.StateEntry;
import org.xfrmbridge.netlink.client.XfrmClient;
import org.xfrmbridge.netlink.client.XfrmEvents;
import org.xfrmbridge.netlink.msg.XfrmMessage;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.StateId;
import org.xfrmbridge.xfrm.StateSpec;

/** Adds an SA, hears of it, lists all there are, and deletes it: README.md, "From Java". */
public final class XfrmExample {
    private XfrmExample() {}

    /** @param arguments the bridge's directory; none for the kernel */
    public static void main(String... arguments) throws IOException {
        try (XfrmClient xfrm =
                        arguments.length == 0 ? Clients.xfrmOfKernel() : Clients.xfrmOfBridge(Path.of(arguments[0]));
                XfrmEvents events = xfrm.events(XfrmMessage.GROUP_SA)) {
            StateSpec sa = StateSpec.builder()
                    .saddr(Address.parse("192.0.2.1"))
                    .id(new StateId(Address.parse("192.0.2.2"), 0x1000, IpProtocol.ESP))
                    .family(AddressFamily.INET)
                    .mode(Mode.TUNNEL)
                    .aead(new Algorithm("rfc4106(gcm(aes))", 160, 128, new byte[20]))
                    .build();
            xfrm.addState(sa);
            System.out.println(events.next(1000));
            try (Stream<StateEntry> all = xfrm.states()) {
                all.forEach(state -> System.out.println(
                        state.spec().id() + ": " + state.current().packets() + " packets"));
            }
            xfrm.deleteState(sa.key());
        } catch (RefusedException e) {
            System.err.println(e.getMessage());
        }
    }
}
