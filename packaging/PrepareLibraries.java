import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassFile.StackMapsOption;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.constant.ClassDesc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.Set;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

// Makes jars, in place, into some whose classes the JVM takes into its cache. It leaves out those of a signed jar,
// before which it also reads and verifies the digests of all entries, and those that were made for a Java before 6. So
// a signature goes (only a security provider needs one, and not of an OpenJDK), and old classes get what newer ones
// have: maps of the stack. Of the manifest stays what the JVM heeds, as it is read at each start: in that of Bouncy
// Castle 400 lines tell containers of modules what is in the jar.

private static final int FIRST_VERSION = ClassFile.JAVA_6_VERSION;
private static final int VERSION = ClassFile.JAVA_8_VERSION;
private static final Set<String> HEEDED = Set.of("Manifest-Version", "Multi-Release", "Automatic-Module-Name");

void main(String[] jars) throws IOException {
    for (String jar : jars) {
        Path before = Path.of(jar);
        Path after = Path.of(jar + ".prepared");
        try (ZipFile in = new ZipFile(before.toFile());
                ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(after))) {
            ClassFile classes = ClassFile.of(
                    StackMapsOption.GENERATE_STACK_MAPS, ClassHierarchyResolverOption.of(hierarchy(in)));
            for (ZipEntry entry : in.stream().filter(entry -> !isSignature(entry.getName())).toList()) {
                ZipEntry copy = new ZipEntry(entry.getName());
                copy.setTime(entry.getTime());
                out.putNextEntry(copy);
                out.write(prepared(entry.getName(), in.getInputStream(entry).readAllBytes(), classes));
                out.closeEntry();
            }
        }
        Files.move(after, before, StandardCopyOption.REPLACE_EXISTING);
    }
}

private static boolean isSignature(String name) {
    String upper = name.toUpperCase(Locale.ROOT);
    return upper.startsWith("META-INF/")
            && (upper.endsWith(".SF") || upper.endsWith(".DSA") || upper.endsWith(".RSA") || upper.endsWith(".EC"));
}

private static byte[] prepared(String name, byte[] bytes, ClassFile classes) throws IOException {
    if (name.equals("META-INF/MANIFEST.MF")) {
        return heeded(bytes);
    }
    if (!name.endsWith(".class") || name.endsWith("module-info.class")) {
        return bytes;
    }
    ClassModel model = classes.parse(bytes);
    if (model.majorVersion() >= FIRST_VERSION) {
        return bytes;
    }
    return classes.transformClass(
            model,
            ClassTransform.transformingMethodBodies((builder, element) -> builder.with(element))
                    .andThen(ClassTransform.dropping(ClassFileVersion.class::isInstance))
                    .andThen(ClassTransform.endHandler(builder -> builder.withVersion(VERSION, 0))));
}

private static byte[] heeded(byte[] bytes) throws IOException {
    Manifest manifest = new Manifest(new ByteArrayInputStream(bytes));
    manifest.getEntries().clear();
    manifest.getMainAttributes().keySet().removeIf(name -> !HEEDED.contains(name.toString()));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    manifest.write(out);
    return out.toByteArray();
}

/** Of the jar's own classes, then the JDK's; what is in neither has no relatives. */
private static ClassHierarchyResolver hierarchy(ZipFile jar) {
    return ClassHierarchyResolver.ofResourceParsing(type -> {
                ZipEntry entry = jar.getEntry(path(type));
                try {
                    return entry == null ? null : jar.getInputStream(entry);
                } catch (IOException e) {
                    return null;
                }
            })
            .orElse(ClassHierarchyResolver.defaultResolver())
            .cached();
}

private static String path(ClassDesc type) {
    String descriptor = type.descriptorString();
    return descriptor.substring(1, descriptor.length() - 1) + ".class";
}
