/* SPDX-License-Identifier: MIT */
/* Strings, GUIDs, security descriptors. */
#include "nt_double.h"

VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    size_t count = 0;
    while (SourceString && SourceString[count])
        count++;
    *DestinationString = (UNICODE_STRING){.Buffer = (PWCH)(ULONG_PTR)SourceString};
    if (SourceString) {
        DestinationString->Length = (USHORT)(count * sizeof(WCHAR));
        DestinationString->MaximumLength = (USHORT)((count + 1) * sizeof(WCHAR));
    }
}

/* Enough of the upcase table for device names and GUIDs. */
static WCHAR upper(WCHAR c)
{
    return c >= 'a' && c <= 'z' ? (WCHAR)(c - 'a' + 'A') : c;
}

LONG RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    if (CaseInSensitive)
        NT_IRQL_AT_MOST(APC_LEVEL); /* the upcase table is paged */
    USHORT shorter = String1->Length < String2->Length ? String1->Length : String2->Length;
    for (USHORT i = 0; i < shorter / sizeof(WCHAR); i++) {
        WCHAR a = String1->Buffer[i], b = String2->Buffer[i];
        LONG difference = CaseInSensitive ? (LONG)upper(a) - upper(b) : (LONG)a - b;
        if (difference)
            return difference;
    }
    return (LONG)String1->Length - String2->Length;
}

BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive)
{
    return String1->Length == String2->Length && RtlCompareUnicodeString(String1, String2, CaseInSensitive) == 0;
}

VOID RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
    USHORT length = SourceString ? SourceString->Length : 0;
    if (length > DestinationString->MaximumLength)
        length = DestinationString->MaximumLength;
    if (length)
        memmove(DestinationString->Buffer, SourceString->Buffer, length);
    DestinationString->Length = length;
    if ((size_t)length + sizeof(WCHAR) <= DestinationString->MaximumLength)
        DestinationString->Buffer[length / sizeof(WCHAR)] = 0;
}

static int hex_digit(WCHAR c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = upper(c);
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

NTSTATUS RtlGUIDFromString(PCUNICODE_STRING GuidString, GUID *Guid)
{
    NT_IRQL_AT_MOST(PASSIVE_LEVEL);
    static const char shape[] = "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}";
    UCHAR bytes[16] = {0};
    UINT32 digits = 0;
    if (GuidString->Length != (sizeof shape - 1) * sizeof(WCHAR))
        return STATUS_INVALID_PARAMETER;
    for (UINT32 i = 0; i < sizeof shape - 1; i++) {
        WCHAR c = GuidString->Buffer[i];
        if (shape[i] != 'x' && c != (WCHAR)shape[i])
            return STATUS_INVALID_PARAMETER;
        if (shape[i] != 'x')
            continue;
        int digit = hex_digit(c);
        if (digit < 0)
            return STATUS_INVALID_PARAMETER;
        bytes[digits / 2] = (UCHAR)(bytes[digits / 2] << 4 | digit);
        digits++;
    }
    Guid->Data1 = (ULONG)bytes[0] << 24 | (ULONG)bytes[1] << 16 | (ULONG)bytes[2] << 8 | bytes[3];
    Guid->Data2 = (USHORT)(bytes[4] << 8 | bytes[5]);
    Guid->Data3 = (USHORT)(bytes[6] << 8 | bytes[7]);
    memcpy(Guid->Data4, &bytes[8], sizeof Guid->Data4);
    return STATUS_SUCCESS;
}

SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length)
{
    const UCHAR *a = Source1, *b = Source2;
    SIZE_T same = 0;
    while (same < Length && a[same] == b[same])
        same++;
    return same;
}

/* ---- Security ---- */

NTSTATUS RtlCreateSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, ULONG Revision)
{
    NT_IRQL_AT_MOST(APC_LEVEL);
    if (Revision != SECURITY_DESCRIPTOR_REVISION)
        return STATUS_UNKNOWN_REVISION;
    *(SECURITY_DESCRIPTOR *)SecurityDescriptor = (SECURITY_DESCRIPTOR){.Revision = SECURITY_DESCRIPTOR_REVISION};
    return STATUS_SUCCESS;
}

NTSTATUS RtlCreateAcl(PACL Acl, ULONG AclLength, ULONG AclRevision)
{
    NT_IRQL_AT_MOST(APC_LEVEL);
    if (AclLength < sizeof *Acl)
        return STATUS_BUFFER_TOO_SMALL;
    if (AclRevision < ACL_REVISION2 || AclRevision > ACL_REVISION4 || AclLength > MAXUSHORT)
        return STATUS_INVALID_PARAMETER;
    *Acl = (ACL){.AclRevision = (UCHAR)AclRevision, .AclSize = (USHORT)(AclLength & ~3u)};
    return STATUS_SUCCESS;
}

/* Room for one entry with a SID of one sub-authority, which is all that the double knows. */
NTSTATUS RtlAddAccessAllowedAce(PACL Acl, ULONG AceRevision, ACCESS_MASK AccessMask, PSID Sid)
{
    NT_IRQL_AT_MOST(APC_LEVEL);
    const SID *sid = Sid;
    ACCESS_ALLOWED_ACE *entry = (ACCESS_ALLOWED_ACE *)(void *)(Acl + 1);
    USHORT size = offsetof(ACCESS_ALLOWED_ACE, SidStart) + sizeof *sid;
    if (AceRevision != Acl->AclRevision)
        return STATUS_REVISION_MISMATCH;
    if (sid->Revision != SID_REVISION || sid->SubAuthorityCount != 1 || Acl->AceCount != 0)
        return STATUS_INVALID_SID;
    if (Acl->AclSize < sizeof *Acl + size)
        return STATUS_ALLOTTED_SPACE_EXCEEDED;
    entry->Header = (ACE_HEADER){.AceType = ACCESS_ALLOWED_ACE_TYPE, .AceSize = size};
    entry->Mask = AccessMask;
    memcpy(&entry->SidStart, sid, sizeof *sid);
    Acl->AceCount = 1;
    return STATUS_SUCCESS;
}

NTSTATUS RtlSetDaclSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, BOOLEAN DaclPresent, PACL Dacl,
                                      BOOLEAN DaclDefaulted)
{
    NT_IRQL_AT_MOST(APC_LEVEL);
    SECURITY_DESCRIPTOR *descriptor = SecurityDescriptor;
    if (descriptor->Revision != SECURITY_DESCRIPTOR_REVISION)
        return STATUS_UNKNOWN_REVISION;
    descriptor->Control &= (SECURITY_DESCRIPTOR_CONTROL) ~(SE_DACL_PRESENT | SE_DACL_DEFAULTED);
    descriptor->Dacl = NULL;
    if (!DaclPresent)
        return STATUS_SUCCESS;
    descriptor->Control |= (SECURITY_DESCRIPTOR_CONTROL)(SE_DACL_PRESENT | (DaclDefaulted ? SE_DACL_DEFAULTED : 0));
    descriptor->Dacl = Dacl;
    return STATUS_SUCCESS;
}

NTSTATUS RtlSetOwnerSecurityDescriptor(PSECURITY_DESCRIPTOR SecurityDescriptor, PSID Owner, BOOLEAN OwnerDefaulted)
{
    NT_IRQL_AT_MOST(APC_LEVEL);
    SECURITY_DESCRIPTOR *descriptor = SecurityDescriptor;
    if (descriptor->Revision != SECURITY_DESCRIPTOR_REVISION)
        return STATUS_UNKNOWN_REVISION;
    descriptor->Control &= (SECURITY_DESCRIPTOR_CONTROL)~SE_OWNER_DEFAULTED;
    if (OwnerDefaulted)
        descriptor->Control |= SE_OWNER_DEFAULTED;
    descriptor->Owner = Owner;
    return STATUS_SUCCESS;
}
