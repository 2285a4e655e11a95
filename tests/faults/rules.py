"""The rules of reliability and where each is proven; the restore drill and upgrades (REL-15, 16) have issues of their own."""

from tests.faults.cases import (
    CLOCK,
    DAYS,
    DRIVER,
    FAULTS,
    FLEET,
    HERE,
    KILLED,
    KILLS,
    LOOP,
    MEANS,
    MEMORY,
    ONCE,
    STORMS,
    TAKEOVERS,
    WHOLE,
)
from tests.faults.levels import Case, counted, proof

SENDING = "jobs/supervision/test_sending.py::"
TAKE = "jobs/lifecycle/test_take_order.py::"
LOOK = "jobs/dispatch/test_look.py::"
GUARD = "equipment/bookings/test_guard.py::"
PLATE = "equipment/machines/test_plate.py::"
WIRE = DRIVER + "test_wire.py::"
CONTRACT = "equipment/drivers/test_contract.py::"
WEB = "equipment/drivers/test_web.py::"

IDLE = (
    HERE + "test_case_09_idle_reported.py::test_case_9_idle_reported_in_mid_print_is_no_end_and_no_next_start"
)
REDIS = (
    HERE
    + "test_case_10_redis.py::test_case_10_without_redis_people_book_hand_in_approve_and_print_and_no_old_start_comes_back"
)
PROCESSES = (
    HERE
    + "test_case_17_processes.py::test_case_17_twenty_processes_that_all_saw_the_slot_free_leave_one_booking"
)

# One row a line: names of tests are as long as they are.
# fmt: off
RULES: tuple[Case, ...] = (
    Case(
        "REL-1",
        "the database holds intent, the machine holds fact; silence proves nothing; late reports change nothing",
        "FR",
        (
            STORMS,
            proof("F", IDLE),
            proof("U", MEANS + "test_silence_never_ends_or_starts_anything"),
            proof("U", MEMORY + "test_reports_that_come_late_after_an_end_change_nothing_for_half_a_minute"),
            proof("R", LOOP + "test_an_end_that_came_while_the_line_was_cut_is_inferred_from_the_machines_count"),
            proof("R", KILLED + "test_killed_in_mid_print_the_print_goes_on_and_what_then_happens_to_it_is_heard"),
        ),
    ),
    Case(
        "REL-2",
        "a start is never blindly repeated",
        "FR",
        (
            STORMS,
            proof("U", MEANS + "test_a_second_start_needs_an_unknown_first_one_three_idle_looks_and_an_order_that_holds"),
            proof("R", FAULTS + "test_case_6_a_start_request_that_is_lost_is_sent_once_more_while_its_order_holds"),
            proof("R", FAULTS + "test_case_6_when_the_second_start_is_lost_too_a_person_is_asked_again"),
        ),
    ),
    Case(
        "REL-3",
        "a start carries what must hold; one mismatch and nothing is sent; one function sends starts",
        "UF",
        (
            proof("U", MEANS + "test_case_25_one_mismatch_alone_and_no_start_is_sent"),
            proof("U", "test_one_place.py::test_one_function_sends_starts"),
            proof("F", TAKE + "test_each_mismatch_alone_sends_nothing"),
            proof("D", TAKE + "test_it_is_taken_once"),
        ),
    ),
    Case("REL-4", "no broker stores commands", "K", (proof("K", REDIS),)),
    Case(
        "REL-5",
        "one dispatcher for each machine, by a lease with a growing number",
        "K",
        (
            proof("D", TAKEOVERS + "test_rel_5_each_machine_has_one_owner_and_a_killed_one_s_machines_pass_on_within_30_s"),
            proof("K", KILLS + "test_case_8_a_second_supervisor_idles_and_the_first_frozen_and_resumed_sends_nothing"),
            proof("R", LOOP + "test_rel_5_a_machine_belongs_to_one_process_and_a_lost_lease_ends_its_watch_at_once"),
            proof("D", LOOK + "test_case_8_a_lease_that_passed_on_claims_nothing"),
        ),
    ),
    Case(
        "REL-6",
        "the file on the machine: our name, never overwritten, proven there before the start",
        "R",
        (
            proof("R", WHOLE + "test_a_job_is_claimed_sent_started_once_and_finished"),
            proof("R", DRIVER + "test_send.py::test_whatever_name_the_machine_makes_of_ours_its_path_finds_the_file"),
            proof("R", DRIVER + "test_send.py::test_another_file_is_never_overwritten"),
            proof("R", FAULTS + "test_case_25_another_file_in_our_files_place_is_not_started"),
        ),
    ),
    Case(
        "REL-7",
        "upload and start are two calls; a success code proves nothing",
        "R",
        (
            proof("R", DRIVER + "test_start.py::test_a_start_at_the_very_moment_a_print_ends_starts_or_says_busy_but_is_never_dropped"),
            proof("R", FAULTS + "test_case_26_a_printer_that_is_disconnected_when_start_is_pressed_is_not_started"),
        ),
    ),
    Case(
        "REL-8",
        "overlapping live bookings are refused by the database itself",
        "DK",
        (
            proof("D", GUARD + "test_an_overlapping_row_is_refused_by_name_whoever_writes_it", both=True),
            proof("D", GUARD + "test_an_update_of_time_state_or_machine_is_refused_like_an_insert", both=True),
            proof("K", PROCESSES, both=True),
        ),
    ),
    Case(
        "REL-9",
        "times are UTC with the site's zone; conversion by the offset of the day itself",
        "U",
        (proof("U", CLOCK + "test_every_instant_is_found_again_from_its_wall_time"), proof("U", CLOCK + "test_ten_o_clock_booked_in_winter_is_ten_o_clock_in_summer")),
    ),
    Case(
        "REL-10",
        "unsafe requests take an idempotency key, kept a day",
        "D",
        (proof("D", ONCE + "test_the_same_key_and_body_make_one_job_and_give_the_same_answer", both=True), proof("D", ONCE + "test_a_key_older_than_a_day_counts_anew_even_before_the_purge")),
    ),
    Case(
        "REL-11",
        "pushed messages are numbered; polling replaces push entirely",
        "B",
        (proof("B", HERE + "test_case_21_connection.py::test_rel_11_with_sockets_blocked_a_print_is_followed_to_its_end"), proof("B", "gallery/test_live_script.py::test_a_gap_asks_for_a_new_snapshot_and_changes_nothing")),
    ),
    Case(
        "REL-12",
        "every wait has a limit and every limit a visible outcome",
        "UFD",
        (
            proof("U", HERE + "test_rel_12_waits.py::test_rel_12_no_call_to_another_program_or_machine_waits_for_ever"),
            proof("F", WEB + "test_a_bad_answer_is_an_error_within_the_limits"),
            proof("D", LOOK + "test_rel_12_after_a_night_without_a_look_it_goes_back_all_the_same"),
            proof("D", "jobs/management/test_tidying.py::test_a_night_without_the_process_only_delays_it"),
            proof("D", TAKE + "test_what_nobody_takes_expires_and_what_was_taken_and_lost_is_unknown"),
        ),
    ),
    Case(
        "REL-13",
        "20,000 calls of twenty people who book, move, cancel, wait, make series and announce outages, with kills: no overlap, every answer true",
        "K",
        (
            counted("K", HERE + "test_rel_13_bookings.py::test_rel_13_every_answer_about_a_booking_is_true_whoever_is_killed_on_postgresql", 20_000, "FABLAB_BOOKING_CALLS", 5_000),
            counted("K", HERE + "test_rel_13_bookings.py::test_rel_13_every_answer_about_a_booking_is_true_whoever_is_killed_on_sqlite", 20_000, "FABLAB_BOOKING_CALLS", 5_000),
        ),
    ),
    Case(
        "REL-14",
        "starts in a storm of faults: once for each attempt, on a plate that was cleared after the last end",
        "FRK",
        (
            STORMS,
            counted("R", HERE + "test_rel_14_starts.py::test_rel_14_jobs_on_three_printers_in_a_storm_are_started_once_each_and_come_to_an_end", 200, "FABLAB_STARTS", 25),
            proof("K", HERE + "test_rel_14_starts.py::test_rel_14_jobs_on_three_printers_in_a_storm_are_started_once_each_and_come_to_an_end"),
        ),
    ),
    Case(
        "REL-17",
        "the plate gate: stored, not clear by default, cleared by a recorded person, the token used once",
        "DR",
        (
            proof("D", PLATE + "test_clearing_says_who_and_when_and_makes_a_new_token_each_time", both=True),
            proof("D", PLATE + "test_lost_contact_ends_the_right_to_start_for_nobody_saw_what_happened_meanwhile"),
            proof("D", "jobs/lifecycle/test_step_attempt.py::test_every_ending_marks_the_plate_and_closes_the_attempt"),
            proof("D", TAKE + "test_a_plate_that_was_cleared_before_the_site_closed_is_no_right_the_next_day"),
            proof("R", KILLED + "test_an_end_that_nobody_saw_is_found_after_the_restart"),
            proof("R", DAYS + "test_case_26_a_printer_that_is_not_connected_is_not_started_and_a_clearing_from_before_does_not_count"),
        ),
    ),
    Case(
        "REL-18",
        "claiming is one conditional update; orphan claims are settled at start-up",
        "K",
        (
            proof("K", HERE + "test_case_17_processes.py::test_rel_18_eight_processes_that_claim_one_job_make_one_attempt", both=True),
            proof("D", "jobs/lifecycle/test_claim.py::test_the_second_taker_finds_it_gone", both=True),
            proof("R", KILLS + "test_case_3_killed_after_the_upload_the_file_is_found_and_there_is_one_of_it"),
        ),
    ),
    Case(
        "REL-19",
        "push and a poll; dead machines cost the live ones nothing",
        "F",
        (
            proof("F", LOOP + "test_rel_20_a_machine_that_answers_nothing_delays_no_other"),
            proof("F", FLEET + "test_rel_19_dead_silent_and_dripping_machines_cost_the_living_nothing"),
            proof("F", WEB + "test_a_bad_machine_delays_no_other"),
            proof("U", "jobs/supervision/test_coordinator.py::test_two_machines_lost_together_are_not_asked_together"),
        ),
    ),
    Case(
        "REL-20",
        "no transaction spans a network call; uploads run in a pool of four",
        "F",
        (
            proof("F", LOOP + "test_rel_20_a_machine_that_answers_nothing_delays_no_other"),
            proof("F", FLEET + "test_rel_20_no_transaction_spans_the_network"),
            proof("F", SENDING + "test_rel_20_four_machines_are_sent_to_at_once_and_each_end_lets_the_next_one_in"),
        ),
    ),
    Case(
        "REL-21",
        "an unrecognised state is unknown; every driver passes one contract",
        "F",
        (
            proof("F", WIRE + "test_an_unknown_state_is_neither_busy_nor_free"),
            proof("F", WIRE + "test_an_unknown_state_keeps_its_words_for_the_log"),
            proof("F", CONTRACT + "test_what_it_says_it_can_do_hangs_together"),
            proof("F", CONTRACT + "test_it_starts_observes_refuses_a_second_start_stops_and_is_ready_again"),
        ),
    ),
    Case("REL-22", "queue and bookings know each other", "U", (proof("U", "jobs/planning/test_plan.py::test_no_two_jobs_overlap_on_a_machine_and_none_runs_where_it_must_not"), proof("D", "jobs/dispatch/test_look.py::test_rel_22_a_job_of_a_booking_starts_in_it"), proof("D", "jobs/planning/test_warn_of_overruns.py::test_who_booked_next_is_told_once_until_about_when_and_where_the_ways_out_are"), proof("D", "jobs/dispatch/test_start_by_itself.py::test_rel_22_starts_are_staggered_where_power_is_weak"))),
    Case(
        "REL-23",
        "page, API and admin write through the same services",
        "D",
        (
            proof("D", "fablab/dashboard/test_book.py::test_a_lost_time_is_said_and_the_three_nearest_are_offered_with_what_was_chosen"),
            proof("D", "fablab/dashboard/test_book.py::test_who_is_not_trained_reads_so_before_choosing_a_time"),
            proof("D", "fablab/api/test_bookings.py::test_a_taken_time_is_409_with_three_others"),
            proof("D", "fablab/api/test_bookings.py::test_all_broken_rules_are_told_at_once"),
            proof("D", "fablab/api/test_jobs.py::test_a_start_without_a_clear_plate_is_409_with_the_reason"),
            proof("D", "equipment/admin/test_admin.py::test_a_booking_is_read_and_neither_added_changed_nor_deleted"),
            proof("D", "equipment/bookings/test_move.py::test_a_move_is_refused_by_the_rules_of_a_new_booking_and_changes_nothing"),
            proof("D", "test_every_door.py::test_every_door_refuses_with_the_one_rule_that_fails_and_writes_nothing"),
            proof("D", "test_every_door.py::test_whoever_leads_to_the_services_is_one_of_the_doors"),
        ),
        lacking="the kiosk does not exist yet",
    ),
)
# fmt: on
