package org.xfrmbridge.daemon.firewall;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Looks for rules of this network namespace that ask for a kernel's own IPsec. They never match where a bridge stands
 * in the host's stack. The programs that made the rules list them: nft, iptables-save and its kin, as far as they are
 * there. Needs the right to do so. Any thread but one that must not wait: programs are started, which takes some 50 ms.
 */
public final class FirewallCheck {
    private static final long PROGRAM_SECONDS = 20;
    private static final List<String> DIRECTORIES =
            List.of("/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin");

    /** Tables of a bridge itself. */
    private static final Set<String> OWN = Set.of("inet xfrm-bridge", "netdev xfrm-bridge");

    private FirewallCheck() {}

    /**
     * The rules that ask for IPsec, each with what to say instead.
     *
     * @param tap the bridge's interface
     * @throws IOException if no program could list rules
     */
    public static List<Finding> findings(String tap) throws IOException {
        Optional<String> nft = output("nft", "-a", "-s", "-t", "list", "ruleset");
        boolean isListed = nft.isPresent();
        String listing = nft.orElse("");
        boolean firewalld = listing.contains("table inet firewalld {");
        List<Finding> found = new ArrayList<>();
        Set<String> left = new HashSet<>(OWN);
        for (String family : List.of("iptables", "ip6tables")) {
            for (String program : programs(family)) {
                Optional<String> saved = output(program + "-save");
                isListed |= saved.isPresent();
                IptablesRuleset rules = new IptablesRuleset(program, saved.orElse(""), tap, firewalld);
                found.addAll(rules.findings());
                rules.chains().forEach(chain -> left.add((family.equals("iptables") ? "ip " : "ip6 ") + chain));
            }
        }
        if (!isListed) {
            throw new IOException("no program could list the rules of this host: install nftables or iptables, or see "
                    + "what \"nft list ruleset\" says");
        }
        found.addAll(new NftRuleset(listing, tap, left).findings());
        return found;
    }

    /** One line for who starts a bridge or asks how it is; empty if no rule needs to be changed. */
    public static Optional<String> summary(List<Finding> findings) {
        long needed = findings.stream().filter(Finding::needed).count();
        if (needed == 0) {
            return Optional.empty();
        }
        return Optional.of((needed == 1 ? "1 rule of the firewall is" : needed + " rules of the firewall are")
                + " for a kernel's IPsec and will not do here: see xfrm-bridge firewall");
    }

    /** The same of this host's rules as they are; null for nothing to say. */
    public static String remark(String tap) {
        try {
            return summary(findings(tap)).orElse(null);
        } catch (IOException e) {
            return "not looked at: " + e.getMessage();
        }
    }

    /** Both kinds where they can be told apart. */
    private static List<String> programs(String family) {
        List<String> kinds = Stream.of(family + "-nft", family + "-legacy")
                .filter(program -> find(program + "-save").isPresent())
                .toList();
        return kinds.isEmpty() && find(family + "-save").isPresent() ? List.of(family) : kinds;
    }

    private static Optional<Path> find(String program) {
        return DIRECTORIES.stream()
                .map(directory -> Path.of(directory, program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** What a program prints; empty if it is not there, fails or hangs. */
    private static Optional<String> output(String... command) throws IOException {
        Optional<Path> program = find(command[0]);
        if (program.isEmpty()) {
            return Optional.empty();
        }
        List<String> words = new ArrayList<>(List.of(command));
        words.set(0, program.get().toString());
        Process process = new ProcessBuilder(words)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        // Not when it has ended: that would close what is still to be read.
        CompletableFuture<Void> limit = CompletableFuture.runAsync(
                process::destroyForcibly, CompletableFuture.delayedExecutor(PROGRAM_SECONDS, TimeUnit.SECONDS));
        try (InputStream out = process.getInputStream()) {
            String text = new String(out.readAllBytes(), StandardCharsets.UTF_8);
            return process.waitFor() == 0 ? Optional.of(text) : Optional.empty();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + command[0] + " listed its rules", e);
        } catch (IOException e) {
            if (limit.isDone()) {
                return Optional.empty();
            }
            throw e;
        } finally {
            limit.cancel(false);
        }
    }
}
