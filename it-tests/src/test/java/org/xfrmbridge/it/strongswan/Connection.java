package org.xfrmbridge.it.strongswan;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.xfrmbridge.lab.Charon;
import org.xfrmbridge.lab.Gateway.Family;
import org.xfrmbridge.lab.Section;
import org.xfrmbridge.lab.Side;
import org.xfrmbridge.lab.Topology;

/**
 * One connection of swanctl.conf, described once and rendered for both ends.
 *
 * <p>Without further settings: IKEv2 with a shared key, tunnel mode between the inner addresses, no rekeying.
 */
public final class Connection {
    /** How the ends prove who they are. */
    enum Authentication {
        SHARED_KEY,
        CERTIFICATE
    }

    /** The secret of every connection with a shared key. */
    public static final String SHARED_KEY = "a key for scenarios";

    private final String name;
    private final Settings settings = new Settings();
    private final Map<String, Child> children = new LinkedHashMap<>();
    private Family outer = Family.IPV4;
    private Authentication authentication = Authentication.SHARED_KEY;

    public Connection(String name) {
        this.name = name;
        set("version", "2");
        set("proposals", "aes128-sha256-x25519");
        set("rekey_time", "0");
        set("encap", "no");
        set("mobike", "no");
    }

    String name() {
        return name;
    }

    public Connection outer(Family family) {
        outer = family;
        return this;
    }

    Connection authenticate(Authentication by) {
        authentication = by;
        return this;
    }

    public Connection set(String key, String value) {
        settings.set(key, value);
        return this;
    }

    Connection set(Side side, String key, String value) {
        settings.set(side, key, value);
        return this;
    }

    /** A child between the inner addresses of this family. */
    public Child child(String childName, Family inner) {
        return children.computeIfAbsent(childName, key -> new Child(inner));
    }

    /** Gives a daemon these connections, as {@code side} of the topology sees them, instead of those it has. */
    public static void load(Charon charon, Topology topology, Side side, Connection... connections) {
        Section root = new Section();
        for (Connection connection : connections) {
            connection.render(root.in("connections"), topology, side);
        }
        root.in("secrets").in("ike-any").put("secret", '"' + SHARED_KEY + '"');
        charon.load(root.toString());
    }

    /** Adds this connection, as {@code side} sees it, to the section {@code connections}. */
    private void render(Section connections, Topology topology, Side side) {
        Section section = connections.in(name);
        section.put("local_addrs", topology.site(side).outer().of(outer));
        section.put("remote_addrs", topology.site(side.other()).outer().of(outer));
        section.putAll(settings.of(side));
        identify(section.in("local"), side);
        identify(section.in("remote"), side.other());
        if (authentication == Authentication.CERTIFICATE) {
            section.in("local").put("certs", side.identity() + ".pem");
        }
        children.forEach(
                (childName, child) -> child.render(section.in("children").in(childName), topology, side));
    }

    private void identify(Section section, Side side) {
        section.put("auth", authentication == Authentication.CERTIFICATE ? "pubkey" : "psk");
        section.put("id", side.identity());
    }

    /** One CHILD_SA of a connection. */
    public static final class Child {
        private final Family inner;
        private final Settings settings = new Settings();

        private Child(Family inner) {
            this.inner = inner;
            set("esp_proposals", "aes128gcm16");
            set("rekey_time", "0");
            set("mode", "tunnel");
        }

        public Child set(String key, String value) {
            settings.set(key, value);
            return this;
        }

        public Child set(Side side, String key, String value) {
            settings.set(side, key, value);
            return this;
        }

        /** Explicit selectors instead of the two inner addresses. */
        public Child between(String left, String right) {
            return set(Side.LEFT, "local_ts", left)
                    .set(Side.LEFT, "remote_ts", right)
                    .set(Side.RIGHT, "local_ts", right)
                    .set(Side.RIGHT, "remote_ts", left);
        }

        /** Host to host: the selectors are the outer addresses, which is what swanctl takes when none are given. */
        public Child transport() {
            return set("mode", "transport").set("local_ts", "dynamic").set("remote_ts", "dynamic");
        }

        /** AH in place of ESP. */
        Child ah(String proposals) {
            settings.remove("esp_proposals");
            return set("ah_proposals", proposals);
        }

        private void render(Section section, Topology topology, Side side) {
            section.put("local_ts", inner.host(topology.site(side).inner().of(inner)));
            section.put(
                    "remote_ts", inner.host(topology.site(side.other()).inner().of(inner)));
            section.putAll(settings.of(side));
        }
    }

    /** Keys and values of each side. */
    private static final class Settings {
        private final Map<Side, Map<String, String>> values = new EnumMap<>(Side.class);

        void set(Side side, String key, String value) {
            values.computeIfAbsent(side, other -> new LinkedHashMap<>()).put(key, value);
        }

        void set(String key, String value) {
            set(Side.LEFT, key, value);
            set(Side.RIGHT, key, value);
        }

        void remove(String key) {
            values.values().forEach(settings -> settings.remove(key));
        }

        Map<String, String> of(Side side) {
            return values.getOrDefault(side, Map.of());
        }
    }
}
