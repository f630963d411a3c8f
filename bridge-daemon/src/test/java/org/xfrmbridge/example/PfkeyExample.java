package org.xfrmbridge.example;

import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.xfrmbridge.daemon.client.Clients;
import org.xfrmbridge.km.RefusedException;
import org.xfrmbridge.pfkey.client.PfkeyClient;
import org.xfrmbridge.pfkey.client.PfkeyEvents;
import org.xfrmbridge.pfkey.client.PfkeyState;
import org.xfrmbridge.pfkey.msg.SadbKey;
import org.xfrmbridge.pfkey.msg.SadbSa;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/** Adds an SA, hears of it, lists all there are, and deletes it: as {@link XfrmExample}, over PF_KEY. */
public final class PfkeyExample {
    // SADB_X_EALG_AESCBC and SADB_X_AALG_SHA2_256HMAC
    private static final int AES_CBC = 12;
    private static final int HMAC_SHA2_256 = 5;

    private PfkeyExample() {}

    /** @param arguments the bridge's directory; none for the kernel */
    public static void main(String... arguments) throws IOException {
        try (PfkeyClient pfkey =
                        arguments.length == 0 ? Clients.pfkeyOfKernel() : Clients.pfkeyOfBridge(Path.of(arguments[0]));
                PfkeyEvents events = pfkey.events(Satype.ESP)) {
            PfkeyState.Builder sa = new PfkeyState.Builder();
            sa.satype = Satype.ESP;
            sa.sa = new SadbSa(0x1000, 32, SadbSa.MATURE, HMAC_SHA2_256, AES_CBC, 0);
            sa.source = PfkeyClient.host(AddressFamily.INET, Address.parse("192.0.2.1"));
            sa.destination = PfkeyClient.host(AddressFamily.INET, Address.parse("192.0.2.2"));
            sa.auth = new SadbKey(256, new byte[32]);
            sa.encrypt = new SadbKey(128, new byte[16]);
            pfkey.add(sa.build());
            System.out.println(events.next(1000).state());
            try (Stream<PfkeyState> all = pfkey.states(Satype.UNSPEC)) {
                all.forEach(state ->
                        System.out.println(state.sa() + ": " + state.current().allocations() + " packets"));
            }
            pfkey.delete(PfkeyState.named(Satype.ESP, 0x1000, sa.source, sa.destination));
        } catch (RefusedException e) {
            System.err.println(e.getMessage());
        }
    }
}
