package org.xfrmbridge.pfkey.client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.Stream;
import org.xfrmbridge.io.MessageSocket;
import org.xfrmbridge.km.RefusedException;
import org.xfrmbridge.pfkey.msg.SadbAddress;
import org.xfrmbridge.pfkey.msg.SadbSpirange;
import org.xfrmbridge.pfkey.msg.SadbXPolicy;
import org.xfrmbridge.pfkey.msg.Sockaddr;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/**
 * The IPsec databases over PF_KEY (RFC 2367 with the KAME and Linux extensions), of a kernel that has it or of a
 * bridge. Every method sends one request and waits for its answer; a refusal is a {@link RefusedException} with the
 * errno, for which PF_KEY has no words. Numbers of algorithms are PF_KEY's. One thread at a time, but streams and
 * subscriptions have sockets of their own.
 */
public final class PfkeyClient implements AutoCloseable {
    private static final int HOST_PROTOCOL = 0;

    /** Opens one more socket. */
    public interface Opener {
        MessageSocket open() throws IOException;
    }

    private final Opener opener;
    private final PfkeyExchange exchange;

    private PfkeyClient(Opener opener) throws IOException {
        this.opener = opener;
        this.exchange = new PfkeyExchange(opener.open());
    }

    /** With a socket of that opener, which is asked again for every stream and subscription. */
    public static PfkeyClient open(Opener opener) throws IOException {
        return new PfkeyClient(opener);
    }

    /** The address of one host, as requests about States have it. @param family of {@link AddressFamily} */
    public static SadbAddress host(int family, Address address) {
        return new SadbAddress(HOST_PROTOCOL, AddressFamily.bits(family), new Sockaddr(family, 0, address));
    }

    /** ADD: EEXIST if there is one. */
    public void add(PfkeyState state) throws IOException {
        exchange.ask(SadbType.ADD, state.satype(), state::write);
    }

    /** UPDATE: completes one that {@link #getSpi} made. ESRCH if there is none. */
    public void update(PfkeyState state) throws IOException {
        exchange.ask(SadbType.UPDATE, state.satype(), state::write);
    }

    /** DELETE, by {@link PfkeyState#named}: ESRCH if there is none. */
    public void delete(PfkeyState name) throws IOException {
        exchange.ask(SadbType.DELETE, name.satype(), name::writeName);
    }

    /** GET, by {@link PfkeyState#named}: ESRCH if there is none. */
    public PfkeyState get(PfkeyState name) throws IOException {
        return exchange.ask(SadbType.GET, name.satype(), name::writeName).state();
    }

    /** GETSPI: a larval State with a free SPI of the range. */
    public PfkeyState getSpi(int satype, SadbAddress source, SadbAddress destination, SadbSpirange range)
            throws IOException {
        return exchange.ask(
                        SadbType.GETSPI,
                        satype,
                        out -> out.put(SadbExt.ADDRESS_SRC, source)
                                .put(SadbExt.ADDRESS_DST, destination)
                                .put(SadbExt.SPIRANGE, range))
                .state();
    }

    /**
     * A DUMP, read as the stream is. Close it if it is not read to its end; an error is an
     * {@link UncheckedIOException}.
     */
    public Stream<PfkeyState> states(int satype) throws IOException {
        return PfkeyDump.start(new PfkeyExchange(opener.open()), SadbType.DUMP, satype)
                .map(PfkeyMessage::state);
    }

    /** FLUSH. @param satype {@link Satype#UNSPEC} for all */
    public void flush(int satype) throws IOException {
        exchange.ask(SadbType.FLUSH, satype, out -> {});
    }

    /** X_SPDADD: EEXIST if its traffic has one. */
    public void addPolicy(PfkeyPolicy policy) throws IOException {
        exchange.ask(SadbType.X_SPDADD, Satype.UNSPEC, policy::write);
    }

    /** X_SPDUPDATE: puts it in the place of the one that is there, if any. */
    public void updatePolicy(PfkeyPolicy policy) throws IOException {
        exchange.ask(SadbType.X_SPDUPDATE, Satype.UNSPEC, policy::write);
    }

    /** X_SPDDELETE, by direction and traffic: ENOENT if there is none. */
    public void deletePolicy(PfkeyPolicy policy) throws IOException {
        exchange.ask(SadbType.X_SPDDELETE, Satype.UNSPEC, policy::write);
    }

    /** X_SPDGET: ENOENT if there is none. @param id as {@link SadbXPolicy} has it */
    public PfkeyPolicy policy(int id, int direction) throws IOException {
        SadbXPolicy name = new SadbXPolicy(SadbXPolicy.IPSEC, direction, id, 0, List.of());
        return exchange.ask(SadbType.X_SPDGET, Satype.UNSPEC, out -> out.put(SadbExt.X_POLICY, name))
                .policy();
    }

    /** An X_SPDDUMP; else as {@link #states}. */
    public Stream<PfkeyPolicy> policies() throws IOException {
        return PfkeyDump.start(new PfkeyExchange(opener.open()), SadbType.X_SPDDUMP, Satype.UNSPEC)
                .map(PfkeyClient::policyOf);
    }

    private static PfkeyPolicy policyOf(PfkeyMessage message) {
        try {
            return message.policy();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** X_SPDFLUSH. */
    public void flushPolicies() throws IOException {
        exchange.ask(SadbType.X_SPDFLUSH, Satype.UNSPEC, out -> {});
    }

    /** The algorithms there are, from an answer to REGISTER: {@code SUPPORTED_AUTH} and {@code SUPPORTED_ENCRYPT}. */
    public PfkeyMessage algorithms() throws IOException {
        try (PfkeyExchange registering = new PfkeyExchange(opener.open())) {
            return registering.ask(SadbType.REGISTER, Satype.ESP, out -> {});
        }
    }

    /**
     * Subscribes to what every PF_KEY socket hears.
     *
     * @param satypes for which to REGISTER, and so to hear of ACQUIRE and EXPIRE, too
     */
    public PfkeyEvents events(int... satypes) throws IOException {
        MessageSocket socket = opener.open();
        PfkeyExchange registering = new PfkeyExchange(socket);
        try {
            for (int satype : satypes) {
                registering.ask(SadbType.REGISTER, satype, out -> {});
            }
        } catch (IOException e) {
            socket.close();
            throw e;
        }
        return new PfkeyEvents(socket);
    }

    @Override
    public void close() {
        exchange.close();
    }
}
