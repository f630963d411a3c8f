package org.xfrmbridge.daemon.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Only described here: the launcher starts it from a jar of its own, bridge-demo. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = {
            "Makes two hosts (network namespaces), runs a bridge on each, protects traffic between them,"
                    + " shows what there is to see, and cleans up.",
            "Nothing outside of these namespaces is changed. Needs root.",
            "From a checkout it first installs what is missing (Debian, Ubuntu); --no-install only says what that is."
        },
        exitCodeListHeading = Main.EXIT_CODES,
        exitCodeList = {" 0:all of it held", " 1:something did not, or could not be done", " 2:it was asked wrongly"},
        footer = {"", "Example:", "  xfrm-bridge demo --keys manual"})
public class DemoCommand implements Callable<Integer> {
    /** Where keys come from. */
    public enum Keys {
        /** charon if it is installed, else by hand. */
        auto,
        charon,
        manual
    }

    @Option(
            names = "--keys",
            paramLabel = "WHO",
            defaultValue = "auto",
            description = {
                "charon: strongSwan negotiates. manual: ip xfrm puts SAs in.",
                "auto: charon if it is installed. Default: ${DEFAULT-VALUE}."
            })
    protected Keys keys;

    @Option(
            names = "--attach",
            description = "Put the bridges in front of the hosts' interfaces instead of into their network stacks.")
    protected boolean attach;

    @Override
    public Integer call() {
        throw new IllegalStateException("demo is started by the xfrm-bridge script, not by this program");
    }
}
