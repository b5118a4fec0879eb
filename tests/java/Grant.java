import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** Gives a user rights, each written as TYPE:OPERATION, over all resources of that type. */
public final class Grant {
    public static void main(String[] arguments) throws Exception {
        String principal = "User:" + arguments[1];
        List<AclBinding> bindings = new ArrayList<>();
        for (String right : List.of(arguments).subList(2, arguments.length)) {
            String[] parts = right.split(":");
            bindings.add(new AclBinding(
                new ResourcePattern(ResourceType.fromString(parts[0]), "*", PatternType.LITERAL),
                new AccessControlEntry(principal, "*", AclOperation.fromString(parts[1]), AclPermissionType.ALLOW)));
        }
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", arguments[0]))) {
            admin.createAcls(bindings).all().get();
        }
    }
}
