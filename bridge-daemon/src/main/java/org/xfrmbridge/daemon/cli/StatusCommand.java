package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.ZoneId;
import java.util.concurrent.Callable;
import org.xfrmbridge.daemon.Bridge;
import org.xfrmbridge.daemon.attach.NamespaceId;
import org.xfrmbridge.daemon.firewall.FirewallCheck;
import org.xfrmbridge.daemon.os.ControlClient;
import org.xfrmbridge.daemon.os.CurrentProcess;
import org.xfrmbridge.daemon.os.SilentBridgeException;
import org.xfrmbridge.daemon.status.Place;
import org.xfrmbridge.daemon.status.Status;
import org.xfrmbridge.daemon.status.StatusText;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows how a bridge is. */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description = {
            "Shows whether a bridge runs and is whole: what it has on this host, how many policies and SAs, what is "
                    + "closed and why, its last warnings, and whether rules of the firewall are for a kernel's IPsec. "
                    + "Of one that ended: what it left closed, and the two ways out."
        },
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {
            " 0:it runs and is whole",
            " 1:something is wrong or closed",
            " 2:it was asked wrongly",
            " 3:it does not run"
        },
        footer = {"", "Example:", "  xfrm-bridge status && echo all is well"})
final class StatusCommand implements Callable<Integer> {
    @Mixin
    private QueryOptions options;

    @Override
    public Integer call() throws IOException {
        Status status = status(options.directory());
        System.out.print(options.json() ? status.toJson() : new StatusText(status, ZoneId.systemDefault()).toString());
        return status.exitCode();
    }

    private static Status status(Path directory) throws IOException {
        String answer;
        try {
            answer = ControlClient.ask(directory, "status");
        } catch (SilentBridgeException e) {
            throw e;
        } catch (IOException e) {
            return Bridge.statusOfEnded(directory);
        }
        if (answer.startsWith("errno") || answer.isEmpty()) {
            throw new IOException("the bridge that runs in %s does not say how it is: %s"
                    .formatted(
                            directory,
                            CurrentProcess.effectiveUserId() == 0 ? "see its log" : "ask as root, or of its group"));
        }
        Status status = Status.ofJson(answer);
        return status.withFirewall(firewall(status.place()));
    }

    /**
     * Of a bridge in the stack, and the rules of this command's own namespace: they are the bridge's only if it is in
     * the same. Null for nothing to say.
     */
    private static String firewall(Place place) throws IOException {
        if (place.takesAll()) {
            return null;
        }
        if (CurrentProcess.effectiveUserId() != 0) {
            return "not looked at, as its rules are shown to root only";
        }
        if (NamespaceId.here().namespace() != place.namespaceCookie()) {
            return "not looked at, as this is another network namespace than the bridge's";
        }
        return FirewallCheck.remark(place.tap());
    }
}
