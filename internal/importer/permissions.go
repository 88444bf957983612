package importer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ferry"
	"ferry/internal/store"
)

// permissions makes rules of SFTPGo's permissions of directories. Both let the nearest
// directory decide alone. A permission with nothing like it here grants nothing.
func (a *Accounts) permissions(e *Entry, of map[string][]string) error {
	var rules []ferry.Rule
	for _, dir := range slices.Sorted(maps.Keys(of)) {
		prefix, err := ferry.Clean(ferry.Root, dir)
		if err != nil || !strings.HasPrefix(dir, "/") {
			return fmt.Errorf("its permissions are for %.100q, which is no absolute name", dir)
		}
		if strings.ContainsAny(dir, "*?[") {
			return fmt.Errorf("its permissions are for the pattern %.100q: rules have no patterns, and without this one it could do more", dir)
		}
		rights, unknown := rightsOf(of[dir])
		if len(unknown) > 0 {
			a.note(e, "permissions", "%s of %s", strings.Join(unknown, ", "), prefix)
		}
		if slices.ContainsFunc(rules, func(r ferry.Rule) bool { return r.Prefix == prefix }) {
			return fmt.Errorf("there are two lists of permissions for %.100q", prefix)
		}
		rules = append(rules, ferry.Rule{Prefix: prefix, Rights: rights})
	}
	e.set(func(account *store.Account) { account.Rules = slices.Clone(rules) })
	return nil
}

// rightsOf are the rights that permissions mean, and the permissions that mean none.
// "*" does not give files to others (chown): no set of rights does that does not say so.
func rightsOf(permissions []string) (rights ferry.Right, unknown []string) {
	has := func(p string) bool { return slices.Contains(permissions, p) }
	if has("*") {
		return ferry.RightsAll, nil
	}
	if has("rename_files") && has("rename_dirs") {
		rights |= ferry.RightRename
	}
	for _, p := range permissions {
		switch p {
		case "list":
			rights |= ferry.RightList
		case "download":
			rights |= ferry.RightRead
		case "upload":
			rights |= ferry.RightCreate
		case "overwrite": // there it is asked of who goes on with a file, too
			rights |= ferry.RightOverwrite | ferry.RightAppend
		case "delete":
			rights |= ferry.RightDelete | ferry.RightRmdir
		case "delete_files":
			rights |= ferry.RightDelete
		case "delete_dirs":
			rights |= ferry.RightRmdir
		case "rename":
			rights |= ferry.RightRename
		case "create_dirs":
			rights |= ferry.RightMkdir
		case "create_symlinks":
			rights |= ferry.RightSymlink
		case "chmod":
			rights |= ferry.RightChmod
		case "chown":
			rights |= ferry.RightChown
		case "chtimes":
			rights |= ferry.RightTimes
		case "copy": // who may read and create may copy
		case "rename_files", "rename_dirs":
			if !rights.Has(ferry.RightRename) && !has("rename") {
				unknown = append(unknown, p)
			}
		default:
			unknown = append(unknown, fmt.Sprintf("%.40q", p))
		}
	}
	return rights, unknown
}
