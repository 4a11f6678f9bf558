// Writes what Apache Kafka's own client makes of every message that this broker knows, one JSON
// object a line: {"message", "version", "sample", "hex", "json"}. See README.md.
//
//   java Golden.java VERSIONS                 makes sample messages from Kafka's definitions
//   java Golden.java VERSIONS other < LINES   reads {"message", "version", "sample", "hex"} of
//                                             another client and adds the JSON
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;

public class Golden {
    static final ObjectMapper json =
        JsonMapper.builder().enable(JsonParser.Feature.ALLOW_COMMENTS).build();

    public static void main(String[] args) throws Exception {
        if (args.length > 1) {
            annotate();
            return;
        }
        for (String row : Files.readAllLines(Path.of(args[0]))) {
            String[] part = row.split(" ");
            for (String kind : new String[] {"Request", "Response"})
                for (int v = Integer.parseInt(part[1]); v <= Integer.parseInt(part[2]); ++v)
                    for (String sample : new String[] {"full", "sparse"})
                        sample(part[0] + kind, (short) v, sample);
        }
    }

    static void annotate() throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null; ) {
            JsonNode row = json.readTree(line);
            byte[] bytes = HexFormat.of().parseHex(row.get("hex").asText());
            short version = (short) row.get("version").asInt();
            String name = row.get("message").asText();
            Message m = (Message) dataClass(name).getDeclaredConstructor().newInstance();
            ByteBufferAccessor from = new ByteBufferAccessor(ByteBuffer.wrap(bytes));
            try {
                m.read(from, version);
            } catch (RuntimeException e) {  // franz-go writes tagged fields in versions without them
                System.err.println(name + " " + version + ": " + e.getMessage());
                continue;
            }
            if (from.remaining() != 0) throw new IllegalStateException("left over: " + line);
            print(name, version, row.get("sample").asText(), bytes, m);
        }
    }

    static Class<?> dataClass(String message) throws Exception {
        return Class.forName("org.apache.kafka.common.message." + message + "Data");
    }

    static Method converter(String message, String name) throws Exception {
        Class<?> c =
            Class.forName("org.apache.kafka.common.message." + message + "DataJsonConverter");
        for (Method m : c.getMethods())
            if (m.getName().equals(name) && (name.equals("read") || m.getParameterCount() == 3))
                return m;
        throw new IllegalStateException(message);
    }

    static void sample(String name, short version, String sample) throws Exception {
        Message m = made(name, version, sample);
        ByteBuffer written = MessageUtil.toByteBufferAccessor(m, version).buffer();
        byte[] bytes = new byte[written.remaining()];
        written.get(bytes);
        print(name, version, sample, bytes, m);
    }

    static void print(String name, short version, String sample, byte[] bytes, Message m)
        throws Exception {
        ObjectNode row = json.createObjectNode();
        row.put("message", name);
        row.put("version", version);
        row.put("sample", sample);
        row.put("hex", HexFormat.of().formatHex(bytes));
        row.set("json", (JsonNode) converter(name, "write").invoke(null, m, version, false));
        System.out.println(json.writeValueAsString(row));
    }

    static Message made(String name, int version, String sample) throws Exception {
        InputStream in = Golden.class.getResourceAsStream("/common/message/" + name + ".json");
        JsonNode definition = json.readTree(in);
        Filler filler =
            new Filler(version, sample.equals("full"), definition.path("commonStructs"));
        JsonNode values = filler.struct(definition.get("fields"));
        return (Message) converter(name, "read").invoke(null, values, (short) version);
    }

    /// Gives each field a value of its own: in a full sample different from its default, in a sparse
    /// one null, empty or the default wherever that is allowed.
    static class Filler {
        final int version;
        final boolean full;
        final JsonNode common;  // structs that several fields have as their type
        int next = 1;

        Filler(int version, boolean full, JsonNode common) {
            this.version = version;
            this.full = full;
            this.common = common;
        }

        /// Of the struct that is the type of `field`; nothing if it is no struct.
        JsonNode fieldsOf(String type, JsonNode field) {
            for (JsonNode struct : common)
                if (struct.get("name").asText().equals(type)) return struct.get("fields");
            return field.path("fields");
        }

        boolean in(JsonNode range) {
            if (range == null || range.asText().equals("none")) return false;
            String text = range.asText();
            if (text.endsWith("+")) return version >= Integer.parseInt(text.replace("+", ""));
            String[] ends = text.split("-");
            return version >= Integer.parseInt(ends[0])
                && version <= Integer.parseInt(ends[ends.length - 1]);
        }

        ObjectNode struct(JsonNode fields) {
            ObjectNode node = json.createObjectNode();
            for (JsonNode field : fields) {
                if (!in(field.get("versions"))) continue;
                if (!full && in(field.get("taggedVersions"))) continue;
                String name = field.get("name").asText();
                String key = Character.toLowerCase(name.charAt(0)) + name.substring(1);
                String type = field.get("type").asText();
                if (!full && in(field.get("nullableVersions"))) node.putNull(key);
                else if (type.startsWith("[]")) node.set(key, array(type.substring(2), field));
                else node.set(key, one(type, field));
            }
            return node;
        }

        ArrayNode array(String type, JsonNode field) {
            ArrayNode node = json.createArrayNode();
            boolean structs = !fieldsOf(type, field).isMissingNode();
            for (int i = 0; i < (full ? 2 : structs ? 1 : 0); ++i) node.add(one(type, field));
            return node;
        }

        JsonNode one(String type, JsonNode field) {
            int n = next++;
            ObjectNode box = json.createObjectNode();
            switch (type) {
                case "bool" -> box.put("v", !field.path("default").asText().equals("true"));
                case "int8" -> box.put("v", n % 2 == 0 ? n % 127 + 1 : -(n % 128) - 1);
                case "int16" -> box.put("v", n % 2 == 0 ? n * 211 % 32767 : -(n * 211 % 32767) - 1);
                case "uint16" -> box.put("v", 65535 - n * 211 % 65535);
                case "int32" -> box.put("v", n % 2 == 0 ? 0x01020300 + n : -0x01020300 - n);
                case "int64" ->
                    box.put("v", n % 2 == 0 ? 0x0102030405060700L + n : -0x0102030405060700L - n);
                case "float64" -> box.put("v", n + 0.5);
                case "string" -> box.put("v", full ? "é€😀" + n : "");
                case "uuid" -> box.put("v", new Uuid(0x1122334455667788L * n, -n).toString());
                case "bytes", "records" -> box.put("v", full ? bytes(n) : new byte[0]);
                default -> box.set("v", struct(fieldsOf(type, field)));
            }
            return box.get("v");
        }

        static byte[] bytes(int n) {
            byte[] b = new byte[n % 5 + 1];
            for (int i = 0; i < b.length; ++i) b[i] = (byte) (n * 37 + i * 101);
            return b;
        }
    }
}
