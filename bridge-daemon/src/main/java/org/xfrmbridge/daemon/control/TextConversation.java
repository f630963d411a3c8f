package org.xfrmbridge.daemon.control;

import org.xfrmbridge.pfkey.server.PfkeyKeyManager;

/** What a client of control.sock says and is answered: docs/preload-protocol.md. One per connection. Control thread only. */
final class TextConversation implements TextChannel.Conversation {
    private static final int ENOENT = 2;
    private static final int EINVAL = 22;

    private final Statistics statistics;
    private final PfkeyKeyManager pfkey;
    private final Sysctls sysctls;
    private final SocketRegistration sockets;
    private final Peer peer;
    private boolean registering;
    private String setting;
    private boolean over;

    TextConversation(
            Statistics statistics, PfkeyKeyManager pfkey, Sysctls sysctls, SocketRegistration sockets, Peer peer) {
        this.statistics = statistics;
        this.pfkey = pfkey;
        this.sysctls = sysctls;
        this.sockets = sockets;
        this.peer = peer;
    }

    @Override
    public String line(String line) {
        if (registering) {
            return sockets.line(line);
        }
        if (setting != null) {
            set(line);
            return null;
        }
        return request(line);
    }

    private String request(String line) {
        if (line.equals("sockets")) {
            registering = true;
            return null;
        }
        if (line.startsWith("set ")) {
            setting = line.substring("set ".length());
            return null;
        }
        over = true;
        return switch (line) {
            case "stat" -> statistics.toText();
            case "stat json" -> statistics.toJson();
            case "proc xfrm_stat" -> statistics.toProcText();
            case "proc pfkey" -> pfkey.procText();
            default -> line.startsWith("sysctl ")
                    ? sysctl(line.substring("sysctl ".length()))
                    : SocketRegistration.errno(EINVAL);
        };
    }

    private String sysctl(String name) {
        Integer value = sysctls.get(name);
        return value == null ? SocketRegistration.errno(ENOENT) : value + "\n";
    }

    private void set(String value) {
        if (peer.privileged()) {
            sysctls.set(setting, value);
        }
    }

    @Override
    public void end(String rest) {
        if (setting != null && rest != null) {
            set(rest);
        }
        sockets.end();
    }

    @Override
    public boolean isOver() {
        return over;
    }
}
