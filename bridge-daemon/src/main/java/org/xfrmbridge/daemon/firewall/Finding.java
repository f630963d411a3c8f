package org.xfrmbridge.daemon.firewall;

import java.util.List;

/**
 * A rule of the host that asks for something only a kernel's own IPsec has. Immutable.
 *
 * @param rule as the program shows it that lists it, with the place where it is
 * @param reason why it does not do here what it was written for; one sentence, or two
 * @param commands what to say instead, ready for a shell; none if nothing needs to be, or nothing can be said
 * @param lasting how to keep that over a reload or a boot where another program made the rule; may be empty
 * @param needed whether something is lost without a change
 */
public record Finding(String rule, String reason, List<String> commands, List<String> lasting, boolean needed) {
    public Finding {
        commands = List.copyOf(commands);
        lasting = List.copyOf(lasting);
    }
}
