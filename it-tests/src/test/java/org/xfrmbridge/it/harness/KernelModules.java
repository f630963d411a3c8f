package org.xfrmbridge.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** The modules of one kernel, as its {@code modules.dep} lists them. */
final class KernelModules {
    private static final List<String> XFRM = List.of(
            "xfrm_user",
            "af_key",
            "esp4",
            "esp6",
            "esp4_offload",
            "esp6_offload",
            "ah4",
            "ah6",
            "ipcomp",
            "ipcomp6",
            "xfrm4_tunnel",
            "xfrm6_tunnel",
            "authenc",
            "authencesn",
            "seqiv",
            "echainiv",
            "drbg",
            "gcm",
            "ccm",
            "ctr",
            "cbc",
            "ecb",
            "cmac",
            "xcbc",
            "hmac",
            "md5",
            "sha512_generic",
            "rmd160",
            "ghash_generic",
            "chacha20poly1305",
            "chacha_generic",
            "poly1305_generic",
            "crypto_null",
            "des_generic",
            "cast5_generic",
            "blowfish_generic",
            "serpent_generic",
            "camellia_generic",
            "twofish_generic",
            "deflate",
            "lzo");

    private final Path directory;
    private final Map<String, String> pathByName = new HashMap<>();
    private final Map<String, List<String>> dependencies = new HashMap<>();

    KernelModules(Path directory) {
        this.directory = directory;
        try (Stream<String> lines = Files.lines(directory.resolve("modules.dep"))) {
            lines.forEach(this::add);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void add(String line) {
        int colon = line.indexOf(':');
        String path = line.substring(0, colon);
        String rest = line.substring(colon + 1).strip();
        pathByName.put(name(path), path);
        dependencies.put(path, rest.isEmpty() ? List.of() : List.of(rest.split(" ")));
    }

    private static String name(String path) {
        return path.substring(path.lastIndexOf('/') + 1)
                .replaceFirst("\\.ko.*", "")
                .replace('-', '_');
    }

    /** All that states of every kind need, and these. */
    static List<String> xfrmAnd(List<String> others) {
        return Stream.concat(others.stream(), XFRM.stream()).toList();
    }

    /**
     * Absolute paths of these modules and all they need, in an order in which they can be loaded; what a kernel has
     * built in is none.
     */
    List<Path> inLoadOrder(List<String> names) {
        Set<String> ordered = new LinkedHashSet<>();
        for (String name : names) {
            String path = pathByName.get(name);
            if (path != null) {
                visit(path, ordered);
            }
        }
        return ordered.stream().map(directory::resolve).toList();
    }

    private void visit(String path, Set<String> ordered) {
        if (!ordered.contains(path)) {
            dependencies.getOrDefault(path, List.of()).forEach(needed -> visit(needed, ordered));
            ordered.add(path);
        }
    }
}
