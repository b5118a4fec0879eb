import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AccessControlEntryFilter;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** BROKERS forbid|allow TOPIC: takes the right to write to a topic from the user `footfall`, or gives it back. */
public class Writes {
    private static final String USER = "User:footfall";

    public static void main(String[] arguments) throws Exception {
        var topic = new ResourcePattern(ResourceType.TOPIC, arguments[2], PatternType.LITERAL);
        var forbidden = entry(AclOperation.WRITE, AclPermissionType.DENY);
        // Without it, a topic with any rule would be open to nobody.
        var allowed = entry(AclOperation.ALL, AclPermissionType.ALLOW);
        try (var admin = Admin.create(Map.of("bootstrap.servers", arguments[0]))) {
            if (arguments[1].equals("forbid")) {
                admin.createAcls(List.of(new AclBinding(topic, allowed), new AclBinding(topic, forbidden))).all().get();
            } else {
                var filter = new AccessControlEntryFilter(USER, "*", AclOperation.WRITE, AclPermissionType.DENY);
                admin.deleteAcls(List.of(new AclBindingFilter(topic.toFilter(), filter))).all().get();
            }
        }
    }

    private static AccessControlEntry entry(AclOperation operation, AclPermissionType permission) {
        return new AccessControlEntry(USER, "*", operation, permission);
    }
}
