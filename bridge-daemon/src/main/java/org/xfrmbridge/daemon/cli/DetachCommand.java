package org.xfrmbridge.daemon.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.xfrmbridge.daemon.Bridge;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Undoes what a bridge left that was killed. */
@Command(
        name = "detach",
        mixinStandardHelpOptions = true,
        description = "Gives an interface its place back after a bridge that was killed. A bridge that runs does so by itself at its end.")
final class DetachCommand implements Callable<Integer> {
    @Mixin
    private DirectoryOption directory;

    @Mixin
    private ConfigurationOption configuration;

    @Override
    public Integer call() throws IOException {
        String restored = Bridge.detach(directory.directory());
        System.out.println(restored == null ? "nothing is attached by " + directory.directory() : restored + " has its place back");
        return 0;
    }
}
