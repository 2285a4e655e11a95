"""The thirty fault cases and where each is proven. ``rules.py`` holds the rules of reliability."""

from tests.faults import full_disk
from tests.faults.levels import Case, counted, proof

FAULTS = "jobs/supervision/test_faults.py::"
KILLS = "jobs/supervision/test_kills.py::"
LOOP = "jobs/supervision/test_loop.py::"
WHOLE = "jobs/supervision/test_whole_path.py::"
MEANS = "jobs/supervision/test_reconcile.py::"
MEMORY = "jobs/supervision/test_memory.py::"
RANDOM = "jobs/supervision/test_random_faults.py::"
DRIVER = "equipment/drivers/octoprint/"
DAYS = "journeys/test_bad_days.py::"
TAKEOVERS = "jobs/supervision/test_takeovers.py::"
FLEET = "jobs/supervision/test_fleet.py::"
KILLED = "journeys/test_killed.py::"
FRONT = "fablab/front/test_receive.py::"
ARRIVING = "jobs/uploads/test_arriving.py::"
CLOCK = "fablab/test_clock.py::"
WEEKLY = "fablab/core/test_recurring.py::"
ONCE = "fablab/api/test_idempotency.py::"
HERE = "faults/"
RECORDED = "recorded/test_faults.py::"
# What real servers said is what they still say: without it, a test on recorded answers proves our reading only.
SAID_AGAIN = proof("R", "recorded/test_record.py::test_real_servers_still_answer_as_recorded")

STORMS = counted(
    "F",
    RANDOM + "test_rel_14_no_start_stands_on_an_old_clearing_and_every_print_comes_to_an_end",
    10_000,
    "FABLAB_RANDOM_RUNS",
    2_000,
)

# One row a line: names of tests are as long as they are.
# fmt: off
CASES: tuple[Case, ...] = (
    Case(
        "1",
        "printer unplugged at 50 %",
        "R",
        (
            proof("R", FAULTS + "test_case_1_a_pulled_cable_is_first_unsure_then_failed_and_the_plate_is_to_clear"),
            proof("R", FAULTS + "test_case_1_a_printer_that_falls_silent_ends_when_octoprint_gives_it_up"),
            proof("R", KILLED + "test_case_1_a_printer_that_is_unplugged_is_first_unsure_then_failed_and_nobody_connects_it"),
        ),
    ),
    Case(
        "2",
        "OctoPrint restarted in mid-print",
        "R",
        (proof("R", FAULTS + "test_case_2_octoprint_killed_in_mid_print_and_back_without_a_record_is_lost"), proof("R", KILLED + "test_case_2_octoprint_killed_in_mid_print_is_first_unsure_then_lost_and_nothing_is_restarted")),
    ),
    Case(
        "3",
        "killed between upload and start",
        "KR",
        (
            counted("R", KILLS + "test_case_3_killed_after_the_upload_the_file_is_found_and_there_is_one_of_it", 200, "FABLAB_KILLS", 20),
            counted("K", KILLS + "test_case_3_killed_right_before_the_start_a_person_is_asked_again", 200, "FABLAB_KILLS", 20),
            proof("K", KILLED + "test_case_3_killed_between_upload_and_start_the_file_is_found_and_there_is_one_of_it"),
            proof("K", KILLED + "test_case_3_killed_right_before_the_start_leaves_the_next_process_asks_a_person_again"),
        ),
    ),
    Case(
        "4",
        "killed between the accepted start and our commit",
        "KR",
        (
            counted("R", KILLS + "test_case_4_killed_after_the_start_was_accepted_the_print_is_adopted", 200, "FABLAB_KILLS", 20),
            proof("K", KILLED + "test_case_4_killed_between_the_accepted_start_and_our_commit_the_print_is_adopted"),
        ),
    ),
    Case(
        "5",
        "the answer to a start is lost",
        "FR",
        (
            STORMS,
            proof("F", DRIVER + "test_faults.py::test_when_the_answer_to_a_start_is_lost_the_print_runs_and_we_do_not_claim_to_know"),
            proof("R", FAULTS + "test_case_5_the_answer_to_a_start_is_lost_and_the_print_is_adopted"),
            proof("R", DAYS + "test_case_5_the_answer_to_a_start_is_lost_and_the_print_is_adopted"),
        ),
    ),
    Case(
        "6",
        "the start request is lost",
        "FR",
        (
            STORMS,
            proof("F", DRIVER + "test_faults.py::test_when_a_start_is_lost_nothing_prints_and_we_do_not_claim_to_know"),
            proof("R", FAULTS + "test_case_6_a_start_request_that_is_lost_is_sent_once_more_while_its_order_holds"),
            proof("R", FAULTS + "test_case_6_when_the_second_start_is_lost_too_a_person_is_asked_again"),
            proof("F", RECORDED + "test_case_6_a_start_that_is_lost_on_the_way_is_sent_once_more"),
            SAID_AGAIN,
            proof("R", DAYS + "test_case_6_a_lost_start_request_is_sent_once_more_then_a_person_is_asked"),
        ),
    ),
    Case("7", "two tabs or two people press start", "R", (proof("R", WHOLE + "test_case_7_fifty_presses_are_one_start_in_octoprints_log"), proof("R", DAYS + "test_case_7_fifty_people_press_at_once_and_one_start_happens"))),
    Case(
        "8",
        "two dispatchers or supervisors",
        "K",
        (
            proof("K", KILLS + "test_case_8_a_second_supervisor_idles_and_the_first_frozen_and_resumed_sends_nothing"),
            counted("K", TAKEOVERS + "test_case_8_killed_and_frozen_in_turn_supervisors_start_nothing_twice", 50, "FABLAB_TAKEOVERS", 10),
            proof("R", "jobs/supervision/test_frozen.py::test_a_start_that_slept_between_the_last_look_and_its_first_byte_does_not_leave"),
            proof("R", LOOP + "test_case_8_a_lease_that_ran_out_while_we_were_frozen_lets_no_start_leave"),
            proof("K", "project/test_serve.py::test_a_second_process_on_the_same_database_is_refused_and_the_first_goes_on"),
        ),
    ),
    Case(
        "9",
        "idle reported for 2 s in mid-print",
        "F",
        (
            STORMS,
            proof("F", HERE + "test_case_09_idle_reported.py::test_case_9_idle_reported_in_mid_print_is_no_end_and_no_next_start"),
            proof("F", RECORDED + "test_case_9_idle_reported_in_mid_print_ends_nothing_and_starts_nothing"),
            SAID_AGAIN,
            proof("U", MEANS + "test_an_idle_report_ends_a_print_only_after_twenty_seconds_or_with_a_proof"),
            proof("U", MEMORY + "test_case_9_an_idle_spell_is_counted_from_its_beginning_and_ended_by_a_busy_look"),
        ),
    ),
    Case(
        "10",
        "Redis gone",
        "K",
        (
            proof("K", HERE + "test_case_10_redis.py::test_case_10_without_redis_people_book_hand_in_approve_and_print_and_no_old_start_comes_back"),
            proof("F", "fablab/live/test_relay.py::test_redis_may_stop_and_return_and_everything_is_read_again"),
        ),
    ),
    Case(
        "11",
        "database away or locked",
        "K",
        (
            proof("K", HERE + "test_case_11_database.py::test_case_11_postgresql_restarted_and_locked_is_said_in_words_and_nothing_is_half_done"),
            proof("R", DAYS + "test_case_11_sqlite_locked_by_another_program_is_said_in_words_and_nothing_is_sent"),
        ),
    ),
    Case(
        "12",
        "disk full during an upload",
        "K",
        (
            proof("K", HERE + "test_case_12_full_disk.py::test_case_12_a_full_disk_is_said_in_words_leaves_nothing_and_those_on_duty_are_told"),
            proof("K", FRONT + "test_a_full_disk_is_said_in_words_and_nobody_else_suffers"),
            proof("D", "jobs/uploads/test_receive.py::test_a_full_disk_is_said_in_words_told_to_those_on_duty_and_leaves_nothing_half_stored"),
        ),
        lacking=full_disk.lacking(),
    ),
    Case(
        "13",
        "machine's storage full",
        "FR",
        (
            proof("R", LOOP + "test_case_13_an_upload_that_octoprint_refuses_leaves_the_job_in_the_queue"),
            proof("R", DAYS + "test_case_13_a_file_that_the_machine_has_no_room_for_stays_queued_with_a_sentence_and_others_go_on"),
            proof("F", "jobs/dispatch/test_look.py::test_case_13_a_machine_whose_storage_is_full_is_named_and_the_job_stays_queued"),
            proof("F", RECORDED + "test_case_13_a_file_that_the_machine_refuses_leaves_its_job_in_the_queue_and_is_said"),
            proof("F", "recorded/test_reading.py::test_each_recorded_refusal_is_called_what_it_is"),
            SAID_AGAIN,
        ),
    ),
    Case(
        "14",
        "upload cut at 99 %",
        "B",
        (
            proof("B", HERE + "test_case_14_cut_upload.py::test_case_14_with_scripts_only_the_missing_bytes_are_sent_again_and_nobody_does_anything"),
            proof("B", HERE + "test_case_14_cut_upload.py::test_case_14_with_scripts_nothing_is_made_while_the_line_is_cut_and_the_page_says_that_it_goes_on"),
            proof("B", HERE + "test_case_14_cut_upload.py::test_case_14_without_scripts_a_cut_upload_makes_no_job_and_is_sent_again"),
            proof("B", "gallery/test_upload_script.py::test_case_14_after_some_tries_the_person_is_asked_and_goes_on_by_a_button"),
            proof("K", "jobs/uploads/test_arriving_killed.py::test_case_14_a_killed_server_leaves_what_it_acknowledged_and_the_next_one_takes_the_rest"),
            proof("F", "fablab/front/test_arrive.py::test_case_14_a_piece_whose_line_is_cut_is_handed_on_as_far_as_it_came"),
            proof("F", FRONT + "test_an_upload_that_is_cut_off_leaves_nothing_and_is_not_told_to_the_application"),
            proof("D", ARRIVING + "test_of_two_pieces_at_once_one_comes_in_and_the_other_is_refused_and_no_byte_is_mixed"),
            proof("D", ARRIVING + "test_a_file_that_arrived_as_another_is_refused_and_nothing_of_it_is_kept"),
            proof("D", ARRIVING + "test_case_14_what_nobody_goes_on_sending_is_gone_a_day_later_and_not_before"),
            proof("D", ARRIVING + "test_rel_22_by_a_clock_that_is_not_believed_nothing_half_sent_is_removed"),
            proof("D", "jobs/uploads/test_receive.py::test_what_a_killed_process_left_half_received_is_gone_a_day_later"),
        ),
    ),
    Case(
        "15",
        "double click, same file sent twice",
        "BD",
        (
            proof("B", "gallery/test_live_script.py::test_a_form_counts_once_however_often_it_is_pressed"),
            proof("D", ONCE + "test_twenty_requests_at_once_with_one_key_make_one_job", both=True),
            proof("D", ONCE + "test_the_same_file_sent_twice_with_one_key_is_stored_once"),
            proof("D", "fablab/dashboard/test_hand_in.py::test_the_same_form_sent_twice_makes_one_object"),
        ),
    ),
    Case("16", "same key, other body", "D", (proof("D", ONCE + "test_the_same_key_with_another_body_is_409_and_makes_nothing", both=True),)),
    Case(
        "17",
        "two people, last slot",
        "K",
        (
            proof("K", "test_races.py::test_a_hundred_people_who_all_saw_the_slot_free_leave_one_booking", both=True),
            proof("K", "test_races.py::test_the_database_alone_keeps_a_hundred_apart_when_no_rule_looks_at_other_bookings", both=True),
            proof("K", HERE + "test_case_17_processes.py::test_case_17_twenty_processes_that_all_saw_the_slot_free_leave_one_booking", both=True),
        ),
    ),
    Case(
        "18",
        "stale tab books a taken slot",
        "B",
        (
            proof("B", HERE + "test_case_18_two_tabs.py::test_case_18_a_stale_tab_reads_that_the_slot_is_taken_and_keeps_what_was_chosen"),
            proof("B", "fablab/dashboard/test_journeys.py::test_a_lost_slot_is_said_with_the_focus_on_it_and_another_is_one_tap_away"),
        ),
    ),
    Case(
        "19",
        "clocks change",
        "U",
        (
            proof("U", CLOCK + "test_a_site_that_never_closes_has_days_of_23_or_25_hours"),
            proof("U", CLOCK + "test_a_time_that_the_clocks_jump_over_is_refused_with_the_first_time_after_it"),
            proof("U", CLOCK + "test_a_time_that_comes_twice_is_told_apart_and_never_guessed"),
            proof("U", CLOCK + "test_ten_o_clock_booked_in_winter_is_ten_o_clock_in_summer"),
            proof("U", CLOCK + "test_an_hour_that_comes_twice_is_offered_twice_and_a_skipped_one_never"),
            counted("U", CLOCK + "test_a_site_is_open_when_a_clock_that_is_read_every_minute_says_so", 20_000, "FABLAB_CLOCK_WORLDS", 5_000),
            counted("U", "equipment/bookings/test_free_times.py::test_what_is_free_and_offered_is_what_counting_every_minute_finds_and_what_the_rules_would_take", 20_000, "FABLAB_CLOCK_WORLDS", 5_000),
            counted("U", WEEKLY + "test_each_occurrence_is_the_time_at_which_a_clock_read_every_minute_stands_between_the_two_times", 20_000, "FABLAB_CLOCK_WORLDS", 5_000),
            proof("U", WEEKLY + "test_ten_o_clock_every_tuesday_is_ten_o_clock_on_every_tuesday_of_twelve_years"),
            proof("D", "fablab/dashboard/test_clock_changes.py::test_a_night_with_two_o_clock_twice_offers_both_told_apart_and_the_second_is_booked_as_it_reads"),
        ),
    ),
    Case(
        "20",
        "server clock jumps ± 1 h; a machine says 1970",
        "FK",
        (
            proof("K", HERE + "test_case_20_clock.py::test_case_20_a_process_whose_clock_jumped_an_hour_sends_no_start_that_was_asked_for_before"),
            proof("F", HERE + "test_case_20_clock.py::test_case_20_a_machine_that_says_1970_is_followed_like_any_other"),
            proof("R", FAULTS + "test_case_20_a_clock_that_jumps_an_hour_sends_no_start_that_was_asked_for_before"),
            proof("D", "test_attacks.py::test_a_clock_that_jumps_back_does_not_make_an_old_press_young"),
        ),
    ),
    Case(
        "21",
        "websocket drops and returns",
        "BK",
        (
            proof("B", HERE + "test_case_21_connection.py::test_case_21_a_page_whose_network_was_gone_shows_what_happened_meanwhile_and_says_it_once"),
            proof("K", HERE + "test_case_21_connection.py::test_case_21_a_page_whose_server_was_killed_comes_back_by_itself"),
            proof("B", "gallery/test_live_script.py::test_a_gap_asks_for_a_new_snapshot_and_changes_nothing"),
            proof("B", "gallery/test_live_script.py::test_without_a_line_the_page_says_so_and_looks_again_by_itself"),
        ),
    ),
    Case(
        "22",
        "cancelled in OctoPrint's own interface",
        "R",
        (
            proof("R", FAULTS + "test_case_22_a_cancel_in_octoprints_own_pages_is_counted_once"),
            proof("R", DAYS + "test_case_22_a_cancel_in_octoprints_own_pages_by_another_person_is_counted_once"),
            proof("U", MEMORY + "test_case_22_a_cancel_is_counted_once_although_two_events_come"),
        ),
    ),
    Case(
        "23",
        "a foreign file is started",
        "R",
        (
            proof("R", FAULTS + "test_case_23_a_foreign_print_makes_the_queue_wait_and_its_end_releases_nothing"),
            proof("R", FAULTS + "test_case_23_a_job_waits_in_the_queue_for_a_foreign_print_and_says_so"),
            proof("R", DAYS + "test_case_23_a_foreign_print_makes_the_queue_wait_and_its_end_releases_nothing"),
            proof("F", DRIVER + "test_wire.py::test_a_file_on_the_card_is_told_from_one_in_the_uploads"),
            proof("R", HERE + "test_case_23_card.py::test_case_23_a_print_from_the_card_is_not_of_the_queue_which_waits_and_its_end_releases_nothing"),
            proof("F", "recorded/test_reading.py::test_a_print_from_the_card_is_told_from_one_of_ours"),
        ),
    ),
    Case(
        "24",
        "plate not clear, staff press start",
        "R",
        (proof("R", WHOLE + "test_case_24_a_plate_that_is_not_clear_is_refused_and_after_clearing_there_is_one_start"), proof("R", DAYS + "test_case_24_a_start_on_a_plate_to_clear_is_refused_then_there_is_exactly_one")),
    ),
    Case(
        "25",
        "wrong file selected",
        "R",
        (
            proof("R", FAULTS + "test_case_25_another_file_in_our_files_place_is_not_started"),
            proof("R", DAYS + "test_case_25_another_file_in_our_files_place_is_not_started_and_the_job_goes_back"),
            proof("R", HERE + "test_case_25_race.py::test_case_25_another_client_is_quicker_and_our_start_starts_nothing_else"),
            proof("R", HERE + "test_case_25_race.py::test_case_25_another_print_after_our_accepted_start_is_asked_to_stop_once"),
            proof("U", MEANS + "test_case_25_one_mismatch_alone_and_no_start_is_sent"),
        ),
    ),
    Case(
        "26",
        "success code, nothing prints",
        "FR",
        (
            proof("R", FAULTS + "test_case_26_without_a_printer_nothing_is_claimed_and_the_reason_is_said"),
            proof("R", FAULTS + "test_case_26_a_printer_that_is_disconnected_when_start_is_pressed_is_not_started"),
            proof("R", DAYS + "test_case_26_a_printer_that_is_not_connected_is_not_started_and_a_clearing_from_before_does_not_count"),
            proof("F", DRIVER + "test_start.py::test_without_a_printer_a_start_is_refused_for_that_reason"),
            proof("F", HERE + "test_case_26_accepted.py::test_case_26_an_accepted_start_after_which_nothing_prints_is_no_start"),
            proof("F", RECORDED + "test_case_26_a_start_answered_with_success_after_which_nothing_prints_is_no_start"),
            proof("F", RECORDED + "test_case_26_a_file_that_is_taken_while_no_printer_is_connected_is_not_taken_for_a_print"),
            SAID_AGAIN,
        ),
    ),
    Case(
        "27",
        "run-out, door, M600",
        "FR",
        (
            proof("R", FAULTS + "test_case_27_a_pause_that_the_printer_asks_for_is_a_pause_and_no_failure"),
            proof("R", DRIVER + "test_watch.py::test_a_pause_by_the_printer_is_told"),
            proof("F", HERE + "test_case_27_pause.py::test_case_27_a_pause_of_many_hours_is_no_failure"),
            proof("F", RECORDED + "test_case_27_a_printer_that_waits_for_somebody_says_who_is_needed_and_never_fails_of_itself"),
            SAID_AGAIN,
            proof("D", "jobs/planning/test_tell_of_pauses.py::test_who_booked_next_and_whose_object_comes_next_are_told_once_each"),
        ),
    ),
    Case(
        "28",
        "heating error, firmware halt",
        "R",
        (
            proof("R", FAULTS + "test_case_28_a_firmware_halt_fails_the_job_and_the_machine_waits_for_staff"),
            proof("U", MEMORY + "test_case_28_a_halt_that_was_dealt_with_is_dealt_with_once_until_it_is_gone"),
            proof("F", RECORDED + "test_case_28_a_halt_of_the_firmware_fails_the_job_and_holds_the_machine_for_staff"),
            SAID_AGAIN,
        ),
    ),
    Case(
        "29",
        "key revoked, OctoPrint upgraded",
        "R",
        (
            proof("R", LOOP + "test_case_29_a_revoked_key_is_found_although_the_push_channel_stays_open"),
            proof("R", DRIVER + "test_watch.py::test_a_revoked_key_is_found_by_asking_although_the_socket_stays_open"),
            proof("U", "jobs/supervision/test_coordinator.py::test_case_29_another_reason_of_the_same_loss_is_told_too"),
            proof("R", DRIVER + "test_release_2.py::test_connect_send_verify_start_pause_resume_stop_finish_on_release_2"),
            proof("R", HERE + "test_case_29_upgrade.py::test_case_29_an_octoprint_that_is_upgraded_in_place_comes_back_by_itself_and_is_said_lost_once"),
            proof("F", "recorded/test_reading.py::test_a_revoked_key_is_called_a_bad_key_whatever_is_asked"),
        ),
        lacking="OctoPrint 2 itself, once it is released: so far its release candidate",
    ),
    Case(
        "30",
        "approved file replaced, person erased, role removed while queued",
        "DR",
        (
            proof("D", "jobs/lifecycle/test_approve.py::test_what_changed_since_voids_it_and_nothing_is_claimed", both=True),
            proof("D", "jobs/dispatch/test_look.py::test_an_approval_that_does_not_hold_any_more_goes_back_to_the_instructor"),
            proof("D", "test_attacks.py::test_a_certificate_that_ended_while_the_file_lay_ready_ends_the_start"),
            proof("D", "jobs/erasure/test_erase.py::test_no_canary_is_left_in_any_table_or_file_and_all_of_them_were_there", both=True),
            proof("D", "jobs/erasure/test_erase.py::test_what_runs_or_may_have_begun_goes_on_and_ends_as_anybodys", both=True),
            proof("R", HERE + "test_case_30_person_gone.py::test_case_30_a_print_whose_person_is_erased_ends_as_anybodys_and_leaves_no_file_on_the_printer"),
            proof("R", HERE + "test_case_30_person_gone.py::test_case_30_what_lay_ready_when_its_person_was_erased_starts_nowhere_and_leaves_the_printer"),
            proof("R", HERE + "test_case_30_person_gone.py::test_case_30_a_print_ends_as_usual_when_its_person_is_gone_and_what_waits_is_not_started"),
        ),
    ),
)
# fmt: on
