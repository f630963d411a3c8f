package org.xfrmbridge.esp;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One block of a file under {@code vectors/}: lines {@code name = value}, a value going on in indented lines; blank
 * lines divide blocks, {@code #} starts a comment.
 */
record Vector(Map<String, String> fields) {

    static List<Vector> read(String file) {
        List<Vector> vectors = new ArrayList<>();
        Map<String, String> fields = new LinkedHashMap<>();
        String last = null;
        for (String line :
                text(file).lines().filter(line -> !line.startsWith("#")).toList()) {
            if (line.isBlank()) {
                addBlock(vectors, fields);
                fields = new LinkedHashMap<>();
            } else if (line.startsWith(" ")) {
                fields.merge(last, line.strip(), String::concat);
            } else {
                int equals = line.indexOf(" =");
                last = line.substring(0, equals);
                fields.put(last, line.substring(equals + 2).strip());
            }
        }
        addBlock(vectors, fields);
        return vectors;
    }

    private static void addBlock(List<Vector> vectors, Map<String, String> fields) {
        if (!fields.isEmpty()) {
            vectors.add(new Vector(fields));
        }
    }

    String get(String field) {
        return fields.get(field);
    }

    byte[] bytes(String field) {
        return HexFormat.of().parseHex(get(field));
    }

    @Override
    public String toString() {
        return get("name");
    }

    private static String text(String file) {
        try (InputStream in = Vector.class.getResourceAsStream("/vectors/" + file)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
