package org.xfrmbridge.daemon.control;

/** What a client of control.sock says and is answered: docs/preload-protocol.md. One per connection. One thread. */
final class TextConversation implements TextChannel.Conversation {
    private final PublicQueries queries;
    private final Sysctls sysctls;
    private final SocketRegistration sockets;
    private boolean registering;
    private String setting;
    private boolean over;

    /** @param sysctls that privileged clients set */
    TextConversation(PublicQueries queries, Sysctls sysctls, SocketRegistration sockets) {
        this.queries = queries;
        this.sysctls = sysctls;
        this.sockets = sockets;
    }

    @Override
    public String line(String line, boolean trusted) {
        if (registering) {
            return sockets.line(line, trusted);
        }
        if (setting != null) {
            set(line, trusted);
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
        return queries.answer(line);
    }

    private void set(String value, boolean trusted) {
        if (trusted) {
            sysctls.set(setting, value);
        }
    }

    @Override
    public void end(String rest, boolean trusted) {
        if (setting != null && rest != null) {
            set(rest, trusted);
        }
        sockets.end();
    }

    @Override
    public boolean isOver() {
        return over;
    }
}
