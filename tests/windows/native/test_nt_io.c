/* SPDX-License-Identifier: MIT */
/* The kernel double's I/O: files of processes, requests, the end of a driver; and the breaches of a dispatch routine.
 */
#include "nt_sample.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static int load(void **state)
{
    (void)state;
    nt_lab_fail_nth(0);
    nt_lab_forgive();
    assert_int_equal(lab_load(), STATUS_SUCCESS);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    KeSetEvent(&sample.go, 0, FALSE);
    lab_process_kill_all();
    lab_unload();
    sample_no_breach();
    sample_nothing_held();
    return 0;
}

static INT32 call(lab_file *file, lab_process *process, UINT32 function)
{
    return lab_ioctl(file, process, SAMPLE_CODE(function), NULL, 0, NULL, 0, NULL, 0);
}

/* ---- The device and its files ---- */

static void what_was_registered(void **state)
{
    (void)state;
    struct lab_device device;
    assert_true(lab_control_device(&device));
    assert_string_equal(device.name, "\\Device\\Sample");
    assert_string_equal(device.symbolic_name, "\\DosDevices\\Sample");
    assert_string_equal(device.sddl, "D:P(A;;GA;;;SY)");
    assert_int_equal(device.characteristics, FILE_DEVICE_SECURE_OPEN);
    assert_int_equal(device.flags & DO_DEVICE_INITIALIZING, 0);
}

static void registration_may_fail(void **state)
{
    (void)state;
    struct lab_device device;
    nt_lab_fail_nth(1);
    assert_int_equal(lab_load(), STATUS_INSUFFICIENT_RESOURCES);
    assert_false(lab_control_device(&device));
    sample_nothing_held();
    lab_file *file;
    lab_process *process = lab_process_start();
    assert_int_equal(lab_open(process, "", &file), STATUS_OBJECT_NAME_NOT_FOUND);
    lab_process_kill(process);
}

static void a_file_is_cleaned_up_with_its_last_handle(void **state)
{
    (void)state;
    lab_process *one = lab_process_start(), *two = lab_process_start();
    lab_file *file, *none;
    assert_int_equal(lab_open(one, "\\{name}", &file), STATUS_SUCCESS);
    assert_string_equal(sample.name, "\\{name}");
    lab_duplicate(file, two);
    assert_int_equal(lab_process_handles(one), 0);
    lab_close(file, one);
    assert_int_equal(call(file, one, SAMPLE_ECHO), STATUS_INVALID_HANDLE);
    assert_int_equal(call(file, two, SAMPLE_ECHO), STATUS_SUCCESS);
    assert_int_equal(sample.cleaned_up, 0);
    lab_close(file, two);
    assert_int_equal(sample.cleaned_up, 1);
    assert_int_equal(sample.closed, 1);
    assert_int_equal(sample.cleanup_process, lab_process_id(two));

    sample.create_status = STATUS_ACCESS_DENIED;
    assert_int_equal(lab_open(one, "", &none), STATUS_ACCESS_DENIED);
    assert_null(none);
    assert_int_equal(sample.created, 2);
    assert_int_equal(sample.cleaned_up, 1);
    assert_int_equal(sample.closed, 1);
    lab_process_kill(one);
    lab_process_kill(two);
}

static void a_killed_process_closes_its_files(void **state)
{
    (void)state;
    lab_process *process = lab_process_start();
    lab_file *file, *other;
    assert_int_equal(lab_open(process, "\\a", &file), STATUS_SUCCESS);
    assert_int_equal(lab_open(process, "\\b", &other), STATUS_SUCCESS);
    lab_duplicate(file, process);
    lab_process_kill(process);
    assert_int_equal(sample.cleaned_up, 2);
    assert_int_equal(sample.closed, 2);
    assert_int_equal(sample.cleanup_process, lab_process_id(process));
    assert_int_equal(lab_open(process, "\\a", &file), STATUS_PROCESS_IS_TERMINATING);
}

/* ---- Requests ---- */

static void buffers_are_as_the_io_manager_makes_them(void **state)
{
    (void)state;
    lab_process *process = lab_process_start();
    lab_file *file;
    assert_int_equal(lab_open(process, "", &file), STATUS_SUCCESS);
    const UINT8 in[4] = {1, 2, 3, 4};
    UINT8 out[8];
    UINT64 returned;

    memset(out, 0xEE, sizeof out);
    assert_int_equal(lab_ioctl(file, process, SAMPLE_CODE(SAMPLE_ECHO), in, 4, out, 8, &returned, 0), STATUS_SUCCESS);
    assert_int_equal(returned, 4);
    assert_memory_equal(out, ((UINT8[]){1, 2, 3, 4, 0xEE, 0xEE, 0xEE, 0xEE}), 8);

    /* A warning gives output, and what the driver did not write is seen. An error gives none. */
    assert_int_equal(lab_ioctl(file, process, SAMPLE_CODE(SAMPLE_BUSY), in, 1, out, 8, &returned, 0),
                     STATUS_DEVICE_BUSY);
    assert_memory_equal(out, ((UINT8[]){1, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5, 0xA5}), 8);
    memset(out, 0xEE, sizeof out);
    assert_int_equal(lab_ioctl(file, process, SAMPLE_CODE(SAMPLE_FAIL), in, 4, out, 8, &returned, 0),
                     STATUS_ACCESS_DENIED);
    assert_int_equal(out[0], 0xEE);

    assert_int_equal(lab_ioctl(file, process, SAMPLE_CODE(SAMPLE_TOO_MUCH), in, 4, out, 3, &returned, 0),
                     STATUS_SUCCESS);
    sample_breach("Information is 4");
    assert_int_equal(out[3], 0xEE);
    assert_int_equal(
        lab_ioctl(file, process, SAMPLE_CODE(SAMPLE_OTHER_METHOD) | METHOD_NEITHER, in, 4, out, 8, &returned, 0),
        STATUS_SUCCESS);
    lab_process_kill(process);
}

static void requests_say_whose_they_are(void **state)
{
    (void)state;
    lab_process *process = lab_process_start();
    lab_file *file;
    assert_int_equal(lab_open(process, "", &file), STATUS_SUCCESS);
    UINT32 id = lab_process_id(process);
    const UINT32 expected[3][2] = {{id, id}, {4, 4}, {0, id}};
    for (int from = 0; from < 3; from++) {
        UINT32 ids[2] = {0};
        assert_int_equal(lab_ioctl(file, process, SAMPLE_CODE(SAMPLE_REQUESTOR), NULL, 0, ids, sizeof ids, NULL, from),
                         STATUS_SUCCESS);
        assert_memory_equal(ids, expected[from], sizeof ids);
    }
    lab_process_kill(process);
}

static void dispatch_breaches(void **state)
{
    (void)state;
    lab_process *process = lab_process_start();
    lab_file *file;
    assert_int_equal(lab_open(process, "", &file), STATUS_SUCCESS);
    call(file, process, SAMPLE_TWICE);
    sample_breach("completed before");
    call(file, process, SAMPLE_OTHER_STATUS);
    sample_breach("completed with");
    call(file, process, SAMPLE_LEAVE_IRQL);
    sample_breach("IRQL 2");
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    call(file, process, SAMPLE_LEAVE_MUTEX);
    sample_breach("mutex");
    assert_int_equal(call(file, process, SAMPLE_PENDING), STATUS_SUCCESS);
    sample_no_breach();
    call(file, process, SAMPLE_UNMARKED);
    sample_breach("not pending");
    struct nt_lab_held held;
    do { /* the work items */
        nt_lab_held(&held);
    } while (held.work_items);
    lab_process_kill(process);
}

static void a_request_that_is_not_completed(void **state)
{
    (void)state;
    lab_process *process = lab_process_start();
    lab_file *file;
    assert_int_equal(lab_open(process, "", &file), STATUS_SUCCESS);
    call(file, process, SAMPLE_NEVER);
    sample_breach("did not complete");
    lab_process_kill(process);
}

/* ---- Several at once ---- */

struct waiting {
    lab_process *process;
    lab_file *file;
    UINT32 done; /* atomic */
};

static void *wait_in_driver(void *argument)
{
    struct waiting *waiting = argument;
    call(waiting->file, waiting->process, SAMPLE_WAIT);
    __atomic_store_n(&waiting->done, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void *kill_process(void *argument)
{
    lab_process_kill(argument);
    return NULL;
}

static void *unload_driver(void *argument)
{
    UINT32 *unloaded = argument;
    lab_unload();
    __atomic_store_n(unloaded, 1, __ATOMIC_RELEASE);
    return NULL;
}

static pthread_t start(void *(*routine)(void *), void *argument)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, routine, argument), 0);
    return thread;
}

static void await_request(void)
{
    KeWaitForSingleObject(&sample.in_wait, Executive, KernelMode, FALSE, NULL);
}

/* The last handle goes while a request is under way: CLEANUP comes at once, CLOSE when the request has ended. */
static void cleanup_comes_before_the_last_request_ends(void **state)
{
    (void)state;
    struct waiting waiting = {.process = lab_process_start()};
    assert_int_equal(lab_open(waiting.process, "", &waiting.file), STATUS_SUCCESS);
    pthread_t thread = start(wait_in_driver, &waiting);
    await_request();
    lab_close(waiting.file, waiting.process);
    assert_int_equal(sample_count(&sample.cleaned_up), 1);
    assert_int_equal(sample_count(&sample.closed), 0);
    KeSetEvent(&sample.go, 0, FALSE);
    pthread_join(thread, NULL);
    assert_int_equal(sample_count(&sample.closed), 1);
    lab_process_kill(waiting.process);
}

static void a_process_ends_after_its_requests(void **state)
{
    (void)state;
    struct waiting waiting = {.process = lab_process_start()};
    assert_int_equal(lab_open(waiting.process, "", &waiting.file), STATUS_SUCCESS);
    pthread_t thread = start(wait_in_driver, &waiting);
    await_request();
    pthread_t killer = start(kill_process, waiting.process);
    usleep(5000);
    assert_int_equal(sample_count(&sample.cleaned_up), 0);
    KeSetEvent(&sample.go, 0, FALSE);
    pthread_join(thread, NULL);
    pthread_join(killer, NULL);
    assert_int_equal(sample_count(&sample.cleaned_up), 1);
    assert_int_equal(sample_count(&sample.closed), 1);
}

static void unload_waits_for_open_files(void **state)
{
    (void)state;
    lab_process *process = lab_process_start();
    lab_file *file, *other;
    UINT32 unloaded = 0;
    assert_int_equal(lab_open(process, "", &file), STATUS_SUCCESS);
    pthread_t thread = start(unload_driver, &unloaded);
    INT32 status;
    while ((status = lab_open(process, "", &other)) == STATUS_SUCCESS) { /* refused once unloading has begun */
        lab_close(other, process);
        usleep(1000);
    }
    assert_int_equal(status, STATUS_NO_SUCH_DEVICE);
    usleep(5000);
    assert_int_equal(sample_count(&unloaded), 0);
    lab_close(file, process);
    pthread_join(thread, NULL);
    assert_int_equal(unloaded, 1);
    lab_process_kill(process);
    assert_int_equal(lab_load(), STATUS_SUCCESS); /* for the fixture */
}

static void *open_and_call(void *argument)
{
    (void)argument;
    for (int i = 0; i < 50; i++) {
        lab_process *process = lab_process_start();
        lab_file *file;
        UINT32 in = (UINT32)i, out = 0;
        if (lab_open(process, "\\storm", &file) != STATUS_SUCCESS ||
            lab_ioctl(file, process, SAMPLE_CODE(SAMPLE_ECHO), &in, sizeof in, &out, sizeof out, NULL, 0) ||
            call(file, process, SAMPLE_PENDING) || out != in)
            nt_lab_breach("a call in the storm failed");
        if (i % 2)
            lab_close(file, process);
        lab_process_kill(process);
    }
    return NULL;
}

static void processes_at_once(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        threads[i] = start(open_and_call, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(sample_count(&sample.created), 200);
    assert_int_equal(sample_count(&sample.closed), 200);
    struct nt_lab_held held;
    do {
        nt_lab_held(&held);
    } while (held.work_items);
}

/* ---- Another driver's device ---- */

static NTSTATUS query_interface(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    int known = IsEqualGUID(stack->Parameters.QueryInterface.InterfaceType, &GUID_BUS_INTERFACE_STANDARD);
    NTSTATUS status = known ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
    if (known)
        stack->Parameters.QueryInterface.Interface->Version = 1;
    irp->IoStatus.Status = status;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static NTSTATUS ask(PDEVICE_OBJECT device, const GUID *interface_type, BUS_INTERFACE_STANDARD *answer,
                    NTSTATUS begin_with)
{
    KEVENT done;
    IO_STATUS_BLOCK result = {0};
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    PIRP irp = IoBuildSynchronousFsdRequest(IRP_MJ_PNP, device, NULL, 0, NULL, &done, &result);
    if (!irp)
        return STATUS_INSUFFICIENT_RESOURCES;
    PIO_STACK_LOCATION stack = IoGetNextIrpStackLocation(irp);
    stack->MinorFunction = IRP_MN_QUERY_INTERFACE;
    stack->Parameters.QueryInterface.InterfaceType = interface_type;
    stack->Parameters.QueryInterface.Size = sizeof *answer;
    stack->Parameters.QueryInterface.Version = 1;
    stack->Parameters.QueryInterface.Interface = (PINTERFACE)answer;
    irp->IoStatus.Status = begin_with;
    NTSTATUS status = IoCallDriver(device, irp);
    if (NT_SUCCESS(status)) {
        assert_int_equal(KeReadStateEvent(&done), 1);
        assert_int_equal(result.Status, STATUS_SUCCESS);
    }
    return status;
}

static void another_device(void **state)
{
    (void)state;
    DRIVER_OBJECT driver = {.MajorFunction = {[IRP_MJ_PNP] = query_interface}};
    PDEVICE_OBJECT device, upper;
    nt_lab_own(1);
    assert_int_equal(IoCreateDevice(&driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device), STATUS_SUCCESS);
    assert_int_equal(IoCreateDevice(&driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &upper), STATUS_SUCCESS);
    nt_lab_own(0);
    device->AttachedDevice = upper;
    assert_ptr_equal(IoGetAttachedDeviceReference(device), upper);
    ObDereferenceObject(upper);
    device->AttachedDevice = NULL;
    assert_ptr_equal(IoGetAttachedDeviceReference(device), device);
    struct nt_lab_held held;
    nt_lab_held(&held);
    assert_int_equal(held.references, 1);

    BUS_INTERFACE_STANDARD answer = {0};
    assert_int_equal(ask(device, &GUID_BUS_INTERFACE_STANDARD, &answer, STATUS_NOT_SUPPORTED), STATUS_SUCCESS);
    assert_int_equal(answer.Version, 1);
    static const GUID unknown = {0};
    assert_int_equal(ask(device, &unknown, &answer, STATUS_NOT_SUPPORTED), STATUS_NOT_SUPPORTED);
    sample_no_breach();
    ask(device, &unknown, &answer, STATUS_SUCCESS);
    sample_breach("STATUS_NOT_SUPPORTED");

    ObDereferenceObject(device);
    nt_lab_own(1);
    IoDeleteDevice(upper);
    IoDeleteDevice(device);
    nt_lab_own(0);
}

#define IO_TEST(name) cmocka_unit_test_setup_teardown(name, load, unload)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registration_may_fail),
        IO_TEST(what_was_registered),
        IO_TEST(a_file_is_cleaned_up_with_its_last_handle),
        IO_TEST(a_killed_process_closes_its_files),
        IO_TEST(buffers_are_as_the_io_manager_makes_them),
        IO_TEST(requests_say_whose_they_are),
        IO_TEST(dispatch_breaches),
        IO_TEST(a_request_that_is_not_completed),
        IO_TEST(cleanup_comes_before_the_last_request_ends),
        IO_TEST(a_process_ends_after_its_requests),
        IO_TEST(unload_waits_for_open_files),
        IO_TEST(processes_at_once),
        IO_TEST(another_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
