package org.xfrmbridge.bench;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A build's own {@link DatapathBench}, by a class loader that shares nothing but the JDK with other builds. */
final class ComparedBuild {
    private final Class<?> bench;

    /** @param checkout where the build was made: {@code mvn package -pl bridge-bench -am} */
    ComparedBuild(Path checkout) throws IOException, ReflectiveOperationException {
        Path target = checkout.resolve("bridge-bench/target");
        List<URL> urls = new ArrayList<>();
        urls.add(target.resolve("classes").toUri().toURL());
        try (DirectoryStream<Path> jars = Files.newDirectoryStream(target.resolve("lib"), "*.jar")) {
            for (Path jar : jars) {
                urls.add(jar.toUri().toURL());
            }
        }
        ClassLoader loader = new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
        bench = loader.loadClass(DatapathBench.class.getName());
    }

    /** A datapath that was just made. @return does a batch of 64 packets, and returns an int */
    MethodHandle open(Way way) throws ReflectiveOperationException {
        Object made = bench.getConstructor().newInstance();
        bench.getField("packetBytes").setInt(made, way.packetBytes());
        Class<?> watched = bench.getField("watched").getType();
        bench.getField("watched").set(made, watched.getField("NOTHING").get(null));
        bench.getMethod("open").invoke(made);
        return MethodHandles.publicLookup()
                .findVirtual(bench, way.method(), MethodType.methodType(int.class))
                .bindTo(made);
    }

    /** One of DatapathBench's ways, and the length of the packets inside. */
    enum Way {
        OUTBOUND_64("outbound", 64),
        INBOUND_64("inbound", 64),
        OUTBOUND_1420("outbound", 1420),
        INBOUND_1420("inbound", 1420);

        private final String method;
        private final int packetBytes;

        Way(String method, int packetBytes) {
            this.method = method;
            this.packetBytes = packetBytes;
        }

        String method() {
            return method;
        }

        int packetBytes() {
            return packetBytes;
        }
    }
}
