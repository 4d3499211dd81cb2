/* SPDX-License-Identifier: MIT */
/* Processes: their files of the control device, their handles and views; and the driver's life. */
#include "nt_double.h"

#include "nt_native.h"

#include <pthread.h>
#include <stdlib.h>

#define NS_PER_MILLISECOND 1000000LL

/* An open file; the FILE_OBJECT is what the driver sees. */
struct lab_file {
    FILE_OBJECT object;
    UINT64 handles; /* atomic, of all processes */
    int created;
};

struct view {
    struct view *next;
    void *address;
    UINT64 bytes;
    struct nt_section *section;
};

struct lab_process {
    struct lab_process *next;
    PEPROCESS process;
    UINT32 id;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t idle;
    UINT32 calls; /* under way */
    int ending;
    lab_file **files; /* one entry per handle */
    size_t file_count;
    struct view *views;
};

/* All there were: a call for a process that has ended fails, it does not touch what is gone. */
static struct nt_lock processes_lock;
static struct lab_process *processes;

__attribute__((destructor)) static void forget_processes(void)
{
    while (processes) {
        lab_process *process = processes;
        processes = process->next;
        free(process->files); /* of one that was never killed */
        free(process);
    }
}

/* ---- Whose call it is ---- */

/* A call of the process begins; 0: it is ending. */
static int begin(lab_process *process)
{
    pthread_mutex_lock(&process->lock);
    int alive = !process->ending;
    process->calls += alive ? 1 : 0;
    pthread_mutex_unlock(&process->lock);
    return alive;
}

static void end(lab_process *process)
{
    pthread_mutex_lock(&process->lock);
    if (--process->calls == 0)
        pthread_cond_broadcast(&process->idle);
    pthread_mutex_unlock(&process->lock);
}

/* ---- Files ---- */

/* A request of the current process about a file, filled but for its parameters. */
static PIRP file_irp(lab_file *file, UCHAR major, struct nt_request *request)
{
    PIRP irp = nt_irp_new(file->object.DeviceObject, request);
    PIO_STACK_LOCATION stack = IoGetNextIrpStackLocation(irp);
    irp->Tail.Overlay.OriginalFileObject = &file->object;
    stack->MajorFunction = major;
    stack->FileObject = &file->object;
    return irp;
}

static NTSTATUS simple_request(lab_file *file, UCHAR major)
{
    struct nt_request request = {0};
    return nt_irp_run(file->object.DeviceObject, file_irp(file, major, &request), &request);
}

static void destroy_file(void *body)
{
    lab_file *file = body;
    if (nt_irql != PASSIVE_LEVEL)
        nt_breach("the last reference of a file goes at IRQL %u", nt_irql);
    if (file->created)
        simple_request(file, IRP_MJ_CLOSE);
    free(file->object.FileName.Buffer);
    nt_device_closed(file->object.DeviceObject);
}

/* Exactly as long as it is, and not terminated. */
static UNICODE_STRING wide(const char *text)
{
    size_t count = strlen(text);
    UNICODE_STRING string = {.Length = (USHORT)(count * sizeof(WCHAR)),
                             .MaximumLength = (USHORT)(count * sizeof(WCHAR))};
    string.Buffer = nt_new(string.Length);
    for (size_t i = 0; i < count; i++)
        string.Buffer[i] = (UCHAR)text[i];
    return string;
}

/* One handle more in the process. Takes a reference. */
static void add_file(lab_process *process, lab_file *file)
{
    nt_object_reference(file);
    __atomic_fetch_add(&file->handles, 1, __ATOMIC_RELAXED);
    pthread_mutex_lock(&process->lock);
    process->files = realloc(process->files, (process->file_count + 1) * sizeof *process->files);
    if (!process->files)
        abort();
    process->files[process->file_count++] = file;
    pthread_mutex_unlock(&process->lock);
}

/* 1: the process has a handle of the file. With `take` it has one less, else there is a reference more. */
static int look_up_file(lab_process *process, lab_file *file, int take)
{
    pthread_mutex_lock(&process->lock);
    size_t i = 0;
    while (i < process->file_count && process->files[i] != file)
        i++;
    int found = i < process->file_count;
    if (found && take)
        process->files[i] = process->files[--process->file_count];
    else if (found)
        nt_object_reference(file);
    pthread_mutex_unlock(&process->lock);
    return found;
}

INT32 lab_open(lab_process *process, const char *suffix, lab_file **file)
{
    *file = NULL;
    if (!begin(process))
        return STATUS_PROCESS_IS_TERMINATING;
    PDEVICE_OBJECT device;
    NTSTATUS status = nt_device_open(&device);
    if (NT_SUCCESS(status)) {
        lab_file *opened = nt_object_new(NT_KIND_FILE, sizeof *opened, destroy_file);
        opened->object.DeviceObject = device;
        opened->object.ReadAccess = opened->object.WriteAccess = TRUE;
        opened->object.FileName = wide(suffix);
        nt_current_process = process->process;
        status = simple_request(opened, IRP_MJ_CREATE);
        nt_current_process = NULL;
        opened->created = NT_SUCCESS(status);
        if (opened->created) {
            add_file(process, opened);
            *file = opened;
        }
        nt_object_release(opened);
    }
    end(process);
    return status;
}

void lab_duplicate(lab_file *file, lab_process *process)
{
    if (!begin(process))
        return;
    add_file(process, file);
    end(process);
}

/* The handle is out of the process's list: CLEANUP with the last one, CLOSE when no request is under way either. */
static void close_file(lab_file *file, lab_process *process)
{
    nt_current_process = process->process;
    if (__atomic_sub_fetch(&file->handles, 1, __ATOMIC_ACQ_REL) == 0)
        simple_request(file, IRP_MJ_CLEANUP);
    nt_object_release(file);
    nt_current_process = NULL;
}

void lab_close(lab_file *file, lab_process *process)
{
    if (!begin(process))
        return;
    if (look_up_file(process, file, 1))
        close_file(file, process);
    end(process);
}

/* ---- Controls ---- */

/* What the I/O manager does for METHOD_BUFFERED. Other methods get what the caller gave; the driver has none of them.
 */
static void fill_control(PIRP irp, struct nt_request *request, const void *in, UINT32 in_bytes, void *out,
                         UINT32 out_bytes)
{
    UINT32 bytes = in_bytes > out_bytes ? in_bytes : out_bytes;
    PIO_STACK_LOCATION stack = IoGetNextIrpStackLocation(irp);
    if (METHOD_FROM_CTL_CODE(stack->Parameters.DeviceIoControl.IoControlCode) != METHOD_BUFFERED) {
        stack->Parameters.DeviceIoControl.Type3InputBuffer = (PVOID)(ULONG_PTR)in;
        irp->UserBuffer = out;
        return;
    }
    if (!bytes)
        return;
    UCHAR *buffer = nt_new(bytes);
    if (in_bytes)
        memcpy(buffer, in, in_bytes);
    memset(buffer + in_bytes, 0xA5, bytes - in_bytes); /* whatever was in the pool */
    irp->AssociatedIrp.SystemBuffer = buffer;
    request->out = out;
    request->out_bytes = out_bytes;
}

enum { FROM_USER, FROM_KERNEL, FROM_NOBODY };

INT32 lab_ioctl(lab_file *file, lab_process *process, UINT32 code, const void *in, UINT32 in_bytes, void *out,
                UINT32 out_bytes, UINT64 *returned, int kernel_mode)
{
    if (returned)
        *returned = 0;
    if (!begin(process))
        return STATUS_PROCESS_IS_TERMINATING;
    if (!look_up_file(process, file, 0)) {
        end(process);
        return STATUS_INVALID_HANDLE;
    }
    nt_current_process = kernel_mode == FROM_KERNEL ? NULL : process->process;
    struct nt_request request = {0};
    PIRP irp = file_irp(file, IRP_MJ_DEVICE_CONTROL, &request);
    PIO_STACK_LOCATION stack = IoGetNextIrpStackLocation(irp);
    stack->Parameters.DeviceIoControl.IoControlCode = code;
    stack->Parameters.DeviceIoControl.InputBufferLength = in_bytes;
    stack->Parameters.DeviceIoControl.OutputBufferLength = out_bytes;
    irp->RequestorMode = kernel_mode == FROM_KERNEL ? KernelMode : UserMode;
    if (kernel_mode == FROM_NOBODY)
        irp->Tail.Overlay.Thread = NULL;
    fill_control(irp, &request, in, in_bytes, out, out_bytes);
    NTSTATUS status = nt_irp_run(file->object.DeviceObject, irp, &request);
    if (returned)
        *returned = request.information;
    nt_object_release(file);
    nt_current_process = NULL;
    end(process);
    return status;
}

/* ---- Processes ---- */

static void destroy_process(void *body)
{
    nt_handles_close_all(body); /* what came after its end */
}

lab_process *lab_process_start(void)
{
    static UINT32 last_id = 1000;
    lab_process *process = nt_new(sizeof *process);
    process->process = nt_object_new(NT_KIND_PROCESS, sizeof *process->process, destroy_process);
    process->id = process->process->id = __atomic_add_fetch(&last_id, 4, __ATOMIC_RELAXED);
    if (pthread_mutex_init(&process->lock, NULL) || pthread_cond_init(&process->idle, NULL))
        abort();
    nt_lock_take(&processes_lock);
    process->next = processes;
    processes = process;
    nt_lock_give(&processes_lock);
    return process;
}

static void drop_view(struct view *view)
{
    nt_unmap(view->address, view->bytes);
    nt_object_release(view->section);
    free(view);
}

void lab_process_kill(lab_process *process)
{
    pthread_mutex_lock(&process->lock);
    int first = !process->ending;
    process->ending = 1;
    while (process->calls)
        pthread_cond_wait(&process->idle, &process->lock);
    pthread_mutex_unlock(&process->lock);
    if (!first)
        return;
    /* Nobody else is at it any more. */
    while (process->file_count)
        close_file(process->files[--process->file_count], process);
    free(process->files);
    process->files = NULL;
    nt_handles_close_all(process->process);
    while (process->views) {
        struct view *view = process->views;
        process->views = view->next;
        drop_view(view);
    }
    nt_object_release(process->process);
}

void lab_process_kill_all(void)
{
    nt_lock_take(&processes_lock);
    lab_process *process = processes; /* those behind it stay, whatever comes before it */
    nt_lock_give(&processes_lock);
    for (; process; process = process->next)
        lab_process_kill(process);
}

UINT32 lab_process_id(const lab_process *process)
{
    return process->id;
}

int lab_object_of(lab_process *process, void **object)
{
    if (!begin(process))
        return 0;
    nt_object_reference_for_driver(process->process);
    *object = process->process;
    end(process);
    return 1;
}

/* ---- Handles of a process ---- */

static HANDLE as_handle(UINT64 handle)
{
    return (HANDLE)(ULONG_PTR)handle;
}

/* A call of the process about one of its handles: 1 = `found` has a reference, and done_with() follows. */
static int use(lab_process *process, UINT64 handle, struct nt_handle *found)
{
    if (!begin(process))
        return 0;
    if (nt_handle_find(process->process, as_handle(handle), found))
        return 1;
    end(process);
    return 0;
}

static void done_with(lab_process *process, struct nt_handle *found)
{
    nt_object_release(found->body);
    end(process);
}

static void *map(lab_process *process, const struct nt_handle *handle, int writable, UINT64 *bytes)
{
    struct nt_section *section = handle->body;
    if (!nt_object_is(section, NT_KIND_SECTION) ||
        !(handle->access & (writable ? SECTION_MAP_WRITE : SECTION_MAP_READ)))
        return NULL;
    if (writable && section->protection != PAGE_READWRITE)
        return NULL;
    struct view *view = nt_new(sizeof *view);
    view->address = nt_section_map(section, 0, section->bytes, writable);
    if (!view->address)
        abort();
    view->bytes = *bytes = section->bytes;
    view->section = section;
    nt_object_reference(section);
    pthread_mutex_lock(&process->lock);
    view->next = process->views;
    process->views = view;
    pthread_mutex_unlock(&process->lock);
    return view->address;
}

void *lab_map(lab_process *process, UINT64 handle, int writable, UINT64 *bytes)
{
    *bytes = 0;
    struct nt_handle found;
    if (!use(process, handle, &found))
        return NULL;
    void *address = map(process, &found, writable, bytes);
    done_with(process, &found);
    return address;
}

void lab_unmap(lab_process *process, void *view)
{
    pthread_mutex_lock(&process->lock);
    struct view **link = &process->views;
    while (*link && (*link)->address != view)
        link = &(*link)->next;
    struct view *found = *link;
    if (found)
        *link = found->next;
    pthread_mutex_unlock(&process->lock);
    if (found)
        drop_view(found);
    else
        nt_breach("lab_unmap: %p is no view of the process", view);
}

UINT64 lab_duplicate_handle(lab_process *process, UINT64 handle, UINT32 access)
{
    struct nt_handle found;
    if (!use(process, handle, &found))
        return 0;
    HANDLE copy = NULL;
    if (nt_access_granted(found.body, found.access, access))
        nt_handle_put(process->process, found.body, access, 0, &copy);
    done_with(process, &found);
    return (UINT64)(ULONG_PTR)copy;
}

int lab_wait(lab_process *process, UINT64 handle, UINT32 milliseconds)
{
    struct nt_handle found;
    if (!use(process, handle, &found))
        return 0;
    int may = nt_object_is(found.body, NT_KIND_EVENT) && found.access & SYNCHRONIZE;
    int signalled = may && nt_wait(&((PKEVENT)found.body)->Header, milliseconds * NS_PER_MILLISECOND);
    done_with(process, &found);
    return signalled;
}

int lab_close_handle(lab_process *process, UINT64 handle)
{
    struct nt_handle taken;
    if (!begin(process))
        return 0;
    int closed = NT_SUCCESS(nt_handle_take(process->process, as_handle(handle), &taken));
    if (closed)
        nt_handle_drop(process->process, &taken);
    end(process);
    return closed;
}

int lab_protect_handle(lab_process *process, UINT64 handle, int on)
{
    if (!begin(process))
        return 0;
    int found = nt_handle_protect(process->process, as_handle(handle), on);
    end(process);
    return found;
}

UINT32 lab_handle_access(lab_process *process, UINT64 handle)
{
    struct nt_handle found;
    if (!use(process, handle, &found))
        return 0;
    done_with(process, &found);
    return found.access;
}

int lab_handle_inheritable(lab_process *process, UINT64 handle)
{
    struct nt_handle found;
    if (!use(process, handle, &found))
        return 0;
    done_with(process, &found);
    return (found.attributes & OBJ_INHERIT) != 0;
}

INT64 lab_process_handles(const lab_process *process)
{
    lab_process *self = (lab_process *)(ULONG_PTR)process;
    if (!begin(self))
        return 0;
    struct nt_handles *handles = &self->process->handles;
    INT64 count = 0;
    nt_lock_take(&handles->lock);
    for (UINT32 i = 0; i < handles->count; i++)
        count += handles->slots[i].body != NULL;
    nt_lock_give(&handles->lock);
    end(self);
    return count;
}

/* ---- The driver ---- */

DRIVER_INITIALIZE DriverEntry;

static PDRIVER_OBJECT driver;

/* Calls the driver at PASSIVE_LEVEL and checks that it comes back so. */
static void check_back(const struct nt_bracket *before, const char *routine)
{
    if (nt_irql != PASSIVE_LEVEL)
        nt_breach("%s returned at IRQL %u", routine, nt_irql);
    nt_leave(before, routine);
}

INT32 lab_load(void)
{
    UNICODE_STRING path = wide("\\Registry\\Machine\\System\\CurrentControlSet\\Services\\avbptpmon");
    if (driver)
        nt_breach("lab_load: the driver is loaded");
    driver = nt_new(sizeof *driver);
    driver->Size = sizeof *driver;
    driver->DriverInit = DriverEntry;
    nt_driver_dispatch_default(driver);
    struct nt_bracket before = nt_enter(PASSIVE_LEVEL);
    NTSTATUS status = DriverEntry(driver, &path);
    check_back(&before, "DriverEntry");
    free(path.Buffer);
    nt_devices_ready();
    if (!NT_SUCCESS(status)) {
        free(driver);
        driver = NULL;
    }
    return status;
}

void lab_unload(void)
{
    if (!driver || !driver->DriverUnload) {
        nt_breach("lab_unload: no driver is loaded, or it cannot be unloaded");
        return;
    }
    nt_devices_await_close();
    struct nt_bracket before = nt_enter(PASSIVE_LEVEL);
    driver->DriverUnload(driver);
    check_back(&before, "DriverUnload");
    nt_devices_reset();
    free(driver);
    driver = NULL;
}
