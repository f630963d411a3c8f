package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Undoes {@link EnableCommand}. */
@Command(
        name = "disable",
        mixinStandardHelpOptions = true,
        description = "Undoes \"enable\": from its next start on, the daemon speaks to the kernel's IPsec again.")
final class DisableCommand implements Callable<Integer> {
    @Mixin
    private UnitOption unit;

    @Override
    public Integer call() throws IOException {
        DropIn dropIn = unit.dropIn();
        System.out.println(
                dropIn.remove()
                        ? dropIn.unit() + " speaks to the kernel from its next start on: systemctl restart "
                                + dropIn.unit()
                        : dropIn.unit() + " was not enabled");
        return 0;
    }
}
